// One request over HTTPS, by libcurl, which only the programs that use this are linked with. DNS is asked by who asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace net {

struct HttpsRequest {
  std::string url;                     // https://
  std::vector<std::string> addresses;  // of its host
  std::string authorities;             // who signs certificates of servers: a PEM file, or a folder with hashed names
  std::uint64_t timeout_milliseconds = 30'000;
  std::uint64_t size_max = 65'536;     // of the answer's body; to a POST what is more is not read, and no failure
  std::optional<std::string> body = {};  // then it is a POST
  std::string content_type = {};         // of that
};

struct HttpsAnswer {
  enum class Failure : std::uint8_t { None, NotTrusted, TooLarge, Other };
  Failure failure = Failure::None;
  std::string problem;  // in words
  long code = 0;        // 200; a redirection is not followed
  std::string type, body;
};

// Blocks; by any thread, when curl_global_init() was called.
[[nodiscard]] HttpsAnswer ask_https(const HttpsRequest& request);
[[nodiscard]] std::string host_of_url(const std::string& url);  // "": it is none

}  // namespace net
