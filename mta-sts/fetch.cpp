#include "mta-sts/fetch.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "lib/base/text.h"

namespace mta_sts {
namespace {

struct Closer {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
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

Fetched failed(std::string_view failure, std::string problem) { return {{}, std::string(failure), std::move(problem)}; }

// Parameters may follow (RFC 8461 section 3.2).
bool is_plain_text(const char* type) {
  return type != nullptr && base::text::equal_ignoring_case(base::text::trim(base::text::split_once(type, ';').first), "text/plain");
}

bool is_folder(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// "mta-sts.example.org:443:192.0.2.1,[2001:db8::1]": libcurl asks no DNS of its own.
std::string resolution(const std::string& host, const std::vector<std::string>& addresses, std::uint16_t port) {
  std::string line = host + ":" + std::to_string(port) + ":";
  for (const auto& address : addresses) {
    if (!line.ends_with(':')) line += ',';
    line += address.contains(':') ? "[" + address + "]" : address;
  }
  return line;
}

void set_up(CURL* handle, const std::string& url, const FetchOptions& options, Body& body) {
  ::curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
  ::curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);  // section 3.3: a redirection is no policy
  ::curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  ::curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  ::curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  ::curl_easy_setopt(handle, CURLOPT_CAINFO, nullptr);
  ::curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  ::curl_easy_setopt(handle, is_folder(options.authorities) ? CURLOPT_CAPATH : CURLOPT_CAINFO, options.authorities.c_str());
  ::curl_easy_setopt(handle, CURLOPT_PROXY, "");  // the variables that name one are not for us
  ::curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_milliseconds));
  ::curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take);
  ::curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
}

}  // namespace

Fetched fetch_policy(const std::string& domain, const std::vector<std::string>& addresses, const FetchOptions& options) {
  const auto host = "mta-sts." + domain;
  if (addresses.empty()) return failed("sts-policy-fetch-error", host + " has no address");
  const std::unique_ptr<CURL, Closer> handle(::curl_easy_init());
  if (!handle) return failed("sts-policy-fetch-error", "libcurl cannot start");
  const std::unique_ptr<curl_slist, Closer> known(::curl_slist_append(nullptr, resolution(host, addresses, options.port).c_str()));
  Body body{{}, options.size_max};
  const auto url = "https://" + host + (options.port == 443 ? "" : ":" + std::to_string(options.port)) + "/.well-known/mta-sts.txt";
  set_up(handle.get(), url, options, body);
  ::curl_easy_setopt(handle.get(), CURLOPT_RESOLVE, known.get());

  const auto result = ::curl_easy_perform(handle.get());
  if (body.is_too_large) return failed("sts-policy-invalid", url + ": more than " + std::to_string(options.size_max) + " octets");
  if (result == CURLE_PEER_FAILED_VERIFICATION) return failed("sts-webpki-invalid", url + ": " + ::curl_easy_strerror(result));
  if (result != CURLE_OK) return failed("sts-policy-fetch-error", url + ": " + ::curl_easy_strerror(result));
  long code = 0;
  const char* type = nullptr;
  ::curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &code);
  ::curl_easy_getinfo(handle.get(), CURLINFO_CONTENT_TYPE, &type);
  if (code != 200) return failed("sts-policy-fetch-error", url + ": HTTP " + std::to_string(code));
  if (!is_plain_text(type)) return failed("sts-policy-invalid", url + ": " + (type != nullptr ? base::text::printable(type, 60) : "no type") + "; expected: text/plain");
  return {std::move(body.text), {}, {}};
}

}  // namespace mta_sts
