#include "lib/smtp/grammar.h"

#include <algorithm>
#include <array>
#include <limits>

#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace smtp {
namespace {

namespace text = base::text;

constexpr std::size_t kMaxHeloOctets = 255;

// esmtp-keyword of RFC 5321 section 4.1.2.
bool is_keyword(std::string_view word) {
  const auto is_alnum = [](char c) { return text::is_alpha(c) || text::is_digit(c); };
  return !word.empty() && is_alnum(word.front()) && std::ranges::all_of(word, [&](char c) { return is_alnum(c) || c == '-'; });
}

// esmtp-value, with the UTF-8 of RFC 6531 section 3.3.
bool is_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c < 0 || (c > ' ' && c != '=' && c != 0x7f); }) && base::utf8::is_valid(value);
}

// ---- parameters -----------------------------------------------------------------------------------------------------
// Each sets its part of the arguments and says whether the value is one of its kind.

using Value = std::optional<std::string_view>;  // nothing: the keyword stood alone

bool set_size(MailArguments& mail, Value value) {
  if (value->empty() || value->size() > 20 || !std::ranges::all_of(*value, text::is_digit)) return false;  // 1*20DIGIT
  mail.size_octets = text::parse_number<std::uint64_t>(*value).value_or(std::numeric_limits<std::uint64_t>::max());
  return true;
}

constexpr auto kBodyTypes = std::to_array<std::string_view>({"", "7BIT", "8BITMIME", "BINARYMIME"});

bool set_body(MailArguments& mail, Value value) {
  for (std::size_t i = 1; i < kBodyTypes.size(); ++i)
    if (text::equal_ignoring_case(*value, kBodyTypes[i])) mail.body = static_cast<BodyType>(i);
  return mail.body != BodyType::None;
}

bool set_smtputf8(MailArguments& mail, Value) { return mail.smtputf8 = true; }
bool set_require_tls(MailArguments& mail, Value) { return mail.require_tls = true; }

bool set_return(MailArguments& mail, Value value) {
  const auto what = mail::parse_return(*value);
  mail.dsn_return = what.value_or(Return::None);
  return what.has_value();
}

bool set_envelope_id(MailArguments& mail, Value value) {
  mail.envelope_id = *value;
  return mail::is_envelope_id(*value);
}

bool set_auth(MailArguments& mail, Value value) {
  mail.auth = *value;
  return *value == "<>" || (!value->empty() && mail::is_xtext(*value));
}

bool set_notify(RcptArguments& rcpt, Value value) {
  const auto notify = mail::parse_notify(*value);
  rcpt.notify = notify.value_or(0);
  return notify.has_value();
}

// Whether it may be UTF-8 says SMTPUTF8 of MAIL, which parse_rcpt() knows.
bool set_original_recipient(RcptArguments& rcpt, Value value) {
  rcpt.original_recipient = *value;
  return mail::is_original_recipient(*value, true);
}

enum class Takes : std::uint8_t { Nothing, Value };

template <class Arguments>
struct Parameter {
  std::string_view keyword;
  Extension extension;
  Takes takes;
  bool (*set)(Arguments&, Value);
};

constexpr auto kMailParameters = std::to_array<Parameter<MailArguments>>({
    {"SIZE", kSize, Takes::Value, set_size},                       // RFC 1870 section 3
    {"BODY", k8BitMime, Takes::Value, set_body},                   // RFC 6152 section 2, RFC 3030 section 3
    {"SMTPUTF8", kSmtpUtf8, Takes::Nothing, set_smtputf8},         // RFC 6531 section 3.4
    {"RET", kDsn, Takes::Value, set_return},                       // RFC 3461 section 4.3
    {"ENVID", kDsn, Takes::Value, set_envelope_id},                // RFC 3461 section 4.4
    {"AUTH", kAuth, Takes::Value, set_auth},                       // RFC 4954 section 5
    {"REQUIRETLS", kRequireTls, Takes::Nothing, set_require_tls},  // RFC 8689 section 2
});
constexpr auto kRcptParameters = std::to_array<Parameter<RcptArguments>>({
    {"NOTIFY", kDsn, Takes::Value, set_notify},             // RFC 3461 section 4.1
    {"ORCPT", kDsn, Takes::Value, set_original_recipient},  // RFC 3461 section 4.2
});

// Mail-parameters and Rcpt-parameters: esmtp-param *(SP esmtp-param). `rest` begins with a blank or is empty.
template <class Arguments, std::size_t kCount>
std::optional<Refusal> parse_parameters(std::string_view rest, const std::array<Parameter<Arguments>, kCount>& known, unsigned extensions,
                                        Arguments& arguments) {
  unsigned seen = 0;
  while (!rest.empty()) {
    if (!text::consume(rest, " ")) return Refusal{ReplyId::BadArgument};
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    if (word.empty()) continue;  // several blanks
    const auto equals = word.find('=');
    const auto keyword = word.substr(0, equals);
    const Value value = equals == std::string_view::npos ? Value() : Value(word.substr(equals + 1));
    if (!is_keyword(keyword) || (value && !is_value(*value))) return Refusal{ReplyId::BadArgument};

    const auto row = std::ranges::find_if(known, [&](const auto& p) { return text::equal_ignoring_case(p.keyword, keyword); });
    if (row == known.end() || (extensions & row->extension) == 0) return Refusal{ReplyId::UnknownParameter};
    const unsigned bit = 1U << (row - known.begin());
    if ((seen & bit) != 0) return Refusal{ReplyId::ParameterTwice, row->keyword};
    seen |= bit;
    if (value.has_value() != (row->takes == Takes::Value) || !row->set(arguments, value)) return Refusal{ReplyId::BadParameter, row->keyword};
  }
  return std::nullopt;
}

Refusal refusal_of(mail::AddressFault fault, ReplyId bad_address) {
  if (fault == mail::AddressFault::NonAscii) return {ReplyId::NonAsciiAddress};
  return {bad_address, mail::describe(fault)};
}

// "FROM:" or "TO:", in any case.
bool consume_keyword(std::string_view& argument, std::string_view keyword) {
  if (!text::starts_with_ignoring_case(argument, keyword)) return false;
  argument.remove_prefix(keyword.size());
  while (argument.starts_with(' ')) argument.remove_prefix(1);
  return true;
}

bool is_base64(std::string_view value) {
  const auto padding = value.size() - std::min(value.size(), value.find_last_not_of('=') + 1);
  const auto is_digit = [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '+' || c == '/'; };
  return value.size() % 4 == 0 && padding <= 2 && std::ranges::all_of(value.substr(0, value.size() - padding), is_digit);
}

}  // namespace

std::string_view name_of(BodyType body) { return kBodyTypes[static_cast<std::size_t>(body)]; }

Parsed<MailArguments> parse_mail(std::string_view argument, unsigned extensions, const mail::AddressRules& rules) {
  if (!consume_keyword(argument, "FROM:")) return std::unexpected(Refusal{});
  mail::AddressRules path_rules = rules;  // whether SMTPUTF8 is used stands behind the path
  path_rules.smtputf8 = (extensions & kSmtpUtf8) != 0;
  const auto path = mail::consume_reverse_path(argument, path_rules);
  if (!path) return std::unexpected(refusal_of(path.error(), ReplyId::BadSender));
  MailArguments mail;
  mail.reverse_path = *path;
  if (const auto refusal = parse_parameters(argument, kMailParameters, extensions, mail)) return std::unexpected(*refusal);
  if (mail.body == BodyType::BinaryMime && (extensions & kBinaryMime) == 0) return std::unexpected(Refusal{ReplyId::BadParameter, "BODY"});
  if (!mail.smtputf8 && base::utf8::has_8bit(path->address)) return std::unexpected(Refusal{ReplyId::NonAsciiAddress});
  return mail;
}

Parsed<RcptArguments> parse_rcpt(std::string_view argument, unsigned extensions, const mail::AddressRules& rules) {
  if (!consume_keyword(argument, "TO:")) return std::unexpected(Refusal{});
  const auto path = mail::consume_forward_path(argument, rules);
  if (!path) return std::unexpected(refusal_of(path.error(), ReplyId::BadRecipient));
  RcptArguments rcpt;
  rcpt.forward_path = *path;
  if (const auto refusal = parse_parameters(argument, kRcptParameters, extensions, rcpt)) return std::unexpected(*refusal);
  const auto& original = rcpt.original_recipient;
  if (!original.empty() && !mail::is_original_recipient(original, rules.smtputf8)) return std::unexpected(Refusal{ReplyId::BadParameter, "ORCPT"});
  return rcpt;
}

// bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF; chunk-size = 1*DIGIT; RFC 3030 section 2.
Parsed<BdatArguments> parse_bdat(std::string_view argument) {
  const auto [size, marker] = text::split_once(argument, ' ');
  const auto octets = text::parse_number<std::uint64_t>(size);
  const bool has_marker = size.size() < argument.size();
  if (!octets || (has_marker && !text::equal_ignoring_case(marker, "LAST"))) return std::unexpected(Refusal{ReplyId::BadChunk});
  return BdatArguments{*octets, has_marker};
}

// "AUTH" SP sasl-mech [SP initial-response]; RFC 4954 section 8.
Parsed<AuthArguments> parse_auth(std::string_view argument) {
  const auto [mechanism, response] = text::split_once(argument, ' ');
  const auto is_mechanism_char = [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '_'; };
  if (mechanism.empty() || mechanism.size() > 20 || !std::ranges::all_of(mechanism, is_mechanism_char)) return std::unexpected(Refusal{});
  AuthArguments auth{mechanism, std::nullopt};
  if (mechanism.size() == argument.size()) return auth;
  if (response != "=" && (response.empty() || !is_base64(response))) return std::unexpected(Refusal{ReplyId::BadAuthResponse});
  auth.initial_response = response == "=" ? std::string_view() : response;
  return auth;
}

bool is_helo_name(std::string_view argument) {
  const auto is_harmless = [](char c) { return text::is_alpha(c) || text::is_digit(c) || std::string_view("-._:[]").find(c) != std::string_view::npos; };
  return !argument.empty() && argument.size() <= kMaxHeloOctets && std::ranges::all_of(argument, is_harmless);
}

}  // namespace smtp
