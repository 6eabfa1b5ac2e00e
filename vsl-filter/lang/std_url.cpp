// url:: (RFC 3986).
#include <algorithm>
#include <optional>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

// section 2.3
bool is_unreserved(char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

Result encode(Run& run, Arguments a) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const std::string_view text = a[0].as_text();
  if (auto fits = charge(run, text.size() / 16); !fits) return pass_on(fits.error());
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[c & 15];
  }
  return string_result(run, out);
}

int hex_digit(char c) {
  if (base::text::is_digit(c)) return c - '0';
  const char small = base::text::lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// nullopt: a % without two digits, or octets that are not UTF-8.
std::optional<std::string> decoded(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) return std::nullopt;
    out += static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
    i += 2;
  }
  if (!base::utf8::is_valid(out)) return std::nullopt;
  return out;
}

Result decode(Run& run, Arguments a) {
  if (auto fits = charge(run, a[0].as_text().size() / 16); !fits) return pass_on(fits.error());
  const auto text = decoded(a[0].as_text(), false);
  if (!text) return fail_api("not percent-encoded UTF-8: '" + base::text::printable(a[0].as_text()) + "'");
  return string_result(run, *text);
}

// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ); section 3.1
bool is_scheme(std::string_view text) {
  if (text.empty() || !base::text::is_alpha(text.front())) return false;
  return std::ranges::all_of(text, [](char c) {
    return base::text::is_alpha(c) || base::text::is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

// What is behind the first `mark`, cut off; nullopt: there is none.
std::optional<std::string_view> cut_behind(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

class Parser {
 public:
  Parser(Run& run, std::string_view text) : run_(run), text_(text), value_(run.heap().map()) {
    for (const std::string_view name : {"scheme", "user", "password", "host", "port", "query", "fragment"}) map().set(name, Value());
  }

  Result parse() {
    std::string_view rest = text_;
    if (const auto colon = rest.find(':'); colon != std::string_view::npos && is_scheme(rest.substr(0, colon))) {
      put("scheme", base::text::to_lower(rest.substr(0, colon)));
      rest.remove_prefix(colon + 1);
    }
    if (const auto fragment = cut_behind(rest, '#'); fragment && !put_decoded("fragment", *fragment)) return bad();
    const auto query = cut_behind(rest, '?');
    if (query) put("query", *query);
    if (!parameters(query.value_or(""))) return bad();
    if (base::text::consume(rest, "//")) {
      const std::string_view authority = rest.substr(0, rest.find('/'));
      rest.remove_prefix(authority.size());
      if (!this->authority(authority)) return bad();
    }
    put("path", rest);
    return std::move(value_);
  }

 private:
  Map& map() { return value_.map_for_write(run_.heap()); }
  void put(std::string_view name, std::string_view text) { map().set(name, run_.string(text)); }
  bool put_decoded(std::string_view name, std::string_view text) {
    const auto plain = decoded(text, false);
    if (plain) put(name, *plain);
    return plain.has_value();
  }
  Result bad() { return fail_api("'" + base::text::printable(text_) + "' is not a valid URL."); }

  // [ userinfo "@" ] host [ ":" port ]; section 3.2
  bool authority(std::string_view text) {
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
      std::string_view user = text.substr(0, at);
      const auto password = cut_behind(user, ':');
      if (!put_decoded("user", user) || (password && !put_decoded("password", *password))) return false;
      text.remove_prefix(at + 1);
    }
    std::string_view host = text.substr(0, text.find(':'));
    if (text.starts_with('[')) {
      const auto end = text.find(']');
      if (end == std::string_view::npos) return false;
      host = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
    } else {
      text.remove_prefix(host.size());
    }
    const auto plain = decoded(host, false);
    if (!plain) return false;
    put("host", lower(*plain));
    if (text.empty() || text == ":") return true;
    const auto port = text.starts_with(':') ? base::text::parse_number<std::uint16_t>(text.substr(1)) : std::nullopt;
    if (port) map().set("port", std::int64_t{*port});
    return port.has_value();
  }

  // name=value&name=value as forms write it; of equal names the last one counts.
  bool parameters(std::string_view query) {
    Value all = run_.heap().map();
    while (!query.empty()) {
      const auto [one, rest] = base::text::split_once(query, '&');
      query = rest;
      if (one.empty()) continue;
      const auto [name, value] = base::text::split_once(one, '=');
      const auto plain_name = decoded(name, true), plain_value = decoded(value, true);
      if (!plain_name || !plain_value || !run_.heap().may_hold_elements(all.as_map().size() + 1)) return false;
      all.map_for_write(run_.heap()).set(*plain_name, run_.string(*plain_value));
    }
    map().set("parameters", std::move(all));
    return true;
  }

  Run& run_;
  std::string_view text_;
  Value value_;
};

Result parse(Run& run, Arguments a) {
  if (auto fits = charge(run, a[0].as_text().size() / 16); !fits) return pass_on(fits.error());
  return Parser(run, a[0].as_text()).parse();
}

constexpr NativeRow kRows[] = {
    {"encode", "", {Type::String}, kPure, encode, "percent-encoded: all but letters, digits and -._~", "url"},
    {"decode", "", {Type::String}, kPure, decode, "without percent-encoding", "url"},
    {"parse", "", {Type::String}, kPure, parse,
     "map of scheme, user, password, host, port, path, query, parameters, fragment; () for what is not there", "url"},
};

}  // namespace

std::span<const NativeRow> url_rows() { return kRows; }

}  // namespace vsl::standard
