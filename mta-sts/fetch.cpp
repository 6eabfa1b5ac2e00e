#include "mta-sts/fetch.h"

#include <string_view>
#include <utility>

#include "lib/base/text.h"
#include "lib/net/https.h"

namespace mta_sts {
namespace {

using Failure = net::HttpsAnswer::Failure;

Fetched failed(std::string_view failure, std::string problem) { return {{}, std::string(failure), std::move(problem)}; }

std::string_view type_of(Failure failure) {
  return failure == Failure::NotTrusted ? "sts-webpki-invalid" : failure == Failure::TooLarge ? "sts-policy-invalid" : "sts-policy-fetch-error";
}

// Parameters may follow (RFC 8461 section 3.2).
bool is_plain_text(std::string_view type) { return base::text::equal_ignoring_case(base::text::trim(base::text::split_once(type, ';').first), "text/plain"); }

}  // namespace

Fetched fetch_policy(const std::string& domain, const std::vector<std::string>& addresses, const FetchOptions& options) {
  net::HttpsRequest request;
  request.url = "https://mta-sts." + domain + (options.port == 443 ? "" : ":" + std::to_string(options.port)) + "/.well-known/mta-sts.txt";
  request.addresses = addresses;
  request.authorities = options.authorities;
  request.timeout_milliseconds = options.timeout_milliseconds;
  request.size_max = options.size_max;
  auto answer = net::ask_https(request);
  if (answer.failure != Failure::None) return failed(type_of(answer.failure), std::move(answer.problem));
  if (answer.code != 200) return failed("sts-policy-fetch-error", request.url + ": HTTP " + std::to_string(answer.code));  // section 3.3: a redirection is no policy
  if (!is_plain_text(answer.type)) return failed("sts-policy-invalid", request.url + ": " + (answer.type.empty() ? "no type" : base::text::printable(answer.type, 60)) + "; expected: text/plain");
  return {std::move(answer.body), {}, {}};
}

}  // namespace mta_sts
