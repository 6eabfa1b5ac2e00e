#include "lib/smtp/extensions.h"

#include <array>

#include "lib/base/text.h"

namespace smtp {
namespace {

namespace text = base::text;

struct KeywordRow {
  std::string_view keyword;
  bool Extensions::*offered;
};
constexpr auto kKeywords = std::to_array<KeywordRow>({
    {"PIPELINING", &Extensions::pipelining},
    {"SIZE", &Extensions::size},
    {"8BITMIME", &Extensions::eight_bit_mime},
    {"SMTPUTF8", &Extensions::smtputf8},
    {"ENHANCEDSTATUSCODES", &Extensions::enhanced_status},
    {"CHUNKING", &Extensions::chunking},
    {"BINARYMIME", &Extensions::binary_mime},
    {"DSN", &Extensions::dsn},
    {"STARTTLS", &Extensions::starttls},
    {"AUTH", &Extensions::auth},
    {"XFORWARD", &Extensions::xforward},
    {"REQUIRETLS", &Extensions::require_tls},
});

// ehlo-line = ehlo-keyword *( SP ehlo-param )
void take_line(Extensions& extensions, std::string_view line) {
  const auto [keyword, parameters] = text::split_once(text::trim(line), ' ');
  for (const auto& row : kKeywords) {
    if (!text::equal_ignoring_case(keyword, row.keyword)) continue;
    extensions.*row.offered = true;
    // A limit that is no number is as good as none: the server decides when it sees the size.
    if (row.offered == &Extensions::size) extensions.size_max_octets = text::parse_number<std::uint64_t>(text::trim(parameters)).value_or(0);
    if (row.offered == &Extensions::auth) extensions.auth_mechanisms = parameters;
    if (row.offered == &Extensions::xforward) extensions.xforward_attributes = parameters;
  }
}

}  // namespace

Extensions parse_extensions(const Reply& reply_to_ehlo) {
  Extensions extensions;
  std::string_view rest = reply_to_ehlo.text;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    rest.remove_prefix(end + 1);
    take_line(extensions, rest.substr(0, rest.find('\n')));
  }
  return extensions;
}

}  // namespace smtp
