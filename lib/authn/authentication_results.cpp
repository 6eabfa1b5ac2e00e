#include "lib/authn/authentication_results.h"

#include <algorithm>

#include "lib/base/text.h"

namespace authn {

namespace text = base::text;

namespace {

// token of RFC 2045, "@" and what addresses have beside: a pvalue may have them (section 2.2).
bool is_plain(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet > ' ' && octet != 0x7f && std::string_view("()<>,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

// value = token / quoted-string
std::string value_text(std::string_view value) {
  if (!value.empty() && std::ranges::all_of(value, is_plain)) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) continue;
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// [CFWS]
void skip_comments(std::string_view& text) {
  int depth = 0;
  while (!text.empty()) {
    const char c = text.front();
    if (depth == 0 && c != '(' && !text::is_space(c) && c != '\r' && c != '\n') return;
    if (c == '\\' && depth > 0 && text.size() > 1) text.remove_prefix(1);
    else if (c == '(') ++depth;
    else if (c == ')') --depth;
    text.remove_prefix(1);
  }
}

}  // namespace

std::string authentication_results(std::string_view authserv_id, const std::vector<MethodResult>& results, bool is_folded) {
  std::string body = value_text(authserv_id);
  if (results.empty()) return body + "; none";
  for (const auto& each : results) {
    body += is_folded ? ";\r\n\t" : "; ";
    body += each.method + "=" + each.result;
    if (!each.reason.empty()) body += " reason=" + value_text(each.reason);
    for (const auto& property : each.properties)
      if (!property.value.empty()) body += " " + property.name + "=" + value_text(property.value);
  }
  return body;
}

std::string authserv_id_of(std::string_view body) {
  skip_comments(body);
  std::string id;
  if (text::consume(body, "\"")) {
    for (;;) {
      if (body.empty()) return {};
      const char c = body.front();
      body.remove_prefix(1);
      if (c == '"') break;
      if (c == '\\' && !body.empty()) {
        id += body.front();
        body.remove_prefix(1);
      } else {
        id += c;
      }
    }
  } else {
    const auto end = std::ranges::find_if_not(body, is_plain);
    id = body.substr(0, static_cast<std::size_t>(end - body.begin()));
    body.remove_prefix(id.size());
  }
  // [ CFWS authres-version ] *( [CFWS] ";" ...)
  skip_comments(body);
  while (!body.empty() && text::is_digit(body.front())) body.remove_prefix(1);
  skip_comments(body);
  return body.empty() || body.front() == ';' ? text::to_lower(id) : std::string();
}

}  // namespace authn
