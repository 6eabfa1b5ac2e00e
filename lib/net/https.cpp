#include "lib/net/https.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include <memory>
#include <utility>

namespace net {
namespace {

struct Closer {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
  void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
};

struct Body {
  std::string text;
  std::uint64_t size_max;
  bool is_too_large = false;
};

std::size_t take(char* octets, std::size_t size, std::size_t count, void* body) noexcept {
  auto& own = *static_cast<Body*>(body);
  const auto length = size * count;
  own.is_too_large = own.text.size() + length > own.size_max;
  if (own.is_too_large) return 0;  // libcurl ends it
  own.text.append(octets, length);
  return length;
}

bool is_folder(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string part_of(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, Closer> parsed(::curl_url());
  char* text = nullptr;
  if (!parsed || ::curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK || ::curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  const std::string copy(text);
  ::curl_free(text);
  return copy;
}

// "mta-sts.example.org:443:192.0.2.1,[2001:db8::1]"
std::string resolution(const HttpsRequest& request) {
  std::string line = part_of(request.url, CURLUPART_HOST) + ":" + part_of(request.url, CURLUPART_PORT) + ":";
  for (const auto& address : request.addresses) {
    if (!line.ends_with(':')) line += ',';
    line += address.contains(':') ? "[" + address + "]" : address;
  }
  return line;
}

void set_up(CURL* handle, const HttpsRequest& request, Body& body) {
  ::curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  ::curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
  ::curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  ::curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  ::curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  ::curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  ::curl_easy_setopt(handle, CURLOPT_CAINFO, nullptr);
  ::curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  ::curl_easy_setopt(handle, is_folder(request.authorities) ? CURLOPT_CAPATH : CURLOPT_CAINFO, request.authorities.c_str());
  ::curl_easy_setopt(handle, CURLOPT_PROXY, "");  // the variables that name one are not for us
  ::curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_milliseconds));
  ::curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take);
  ::curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
  if (!request.body) return;
  ::curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body->size()));
  ::curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body->data());
}

}  // namespace

std::string host_of_url(const std::string& url) { return part_of(url, CURLUPART_HOST); }

HttpsAnswer ask_https(const HttpsRequest& request) {
  using Failure = HttpsAnswer::Failure;
  const auto failed = [&](Failure failure, const std::string& why) { return HttpsAnswer{failure, request.url + ": " + why, 0, {}, {}}; };
  if (request.addresses.empty()) return failed(Failure::Other, "its host has no address");
  const std::unique_ptr<CURL, Closer> handle(::curl_easy_init());
  if (!handle) return failed(Failure::Other, "libcurl cannot start");
  const std::unique_ptr<curl_slist, Closer> known(::curl_slist_append(nullptr, resolution(request).c_str()));
  const std::unique_ptr<curl_slist, Closer> fields(request.content_type.empty() ? nullptr : ::curl_slist_append(nullptr, ("Content-Type: " + request.content_type).c_str()));
  Body body{{}, request.size_max};
  set_up(handle.get(), request, body);
  ::curl_easy_setopt(handle.get(), CURLOPT_RESOLVE, known.get());
  if (fields) ::curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, fields.get());

  const auto result = ::curl_easy_perform(handle.get());
  const bool is_enough = body.is_too_large && request.body;  // what counts of the answer to a POST is its code
  if (body.is_too_large && !is_enough) return failed(Failure::TooLarge, "more than " + std::to_string(request.size_max) + " octets");
  if (result != CURLE_OK && !is_enough) return failed(result == CURLE_PEER_FAILED_VERIFICATION ? Failure::NotTrusted : Failure::Other, ::curl_easy_strerror(result));
  HttpsAnswer answer;
  const char* type = nullptr;
  ::curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.code);
  ::curl_easy_getinfo(handle.get(), CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) answer.type = type;
  answer.body = std::move(body.text);
  return answer;
}

}  // namespace net
