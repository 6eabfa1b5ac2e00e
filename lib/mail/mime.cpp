#include "lib/mail/mime.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/charset.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/lexer.h"

namespace mail {
namespace {

constexpr std::size_t kMaxParameters = 100;

// A parameter as it stands there: attribute ["*" section] ["*"] "=" value  RFC 2231 section 7
struct RawParameter {
  std::string name;
  std::optional<unsigned> section;
  bool is_extended = false;
  std::string value;
  std::size_t offset = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view body) : lexer_(body) {}

  std::optional<MimeField> parse(bool has_subtype) {
    blanks();
    field_.value = base::text::to_lower(lexer_.token());
    if (field_.value.empty()) return std::nullopt;
    blanks();
    if (has_subtype) {
      if (!lexer_.consume('/')) return std::nullopt;
      blanks();
      field_.subtype = base::text::to_lower(lexer_.token());
      if (field_.subtype.empty()) return std::nullopt;
      blanks();
    }
    while (!lexer_.at_end()) next_parameter();
    assemble();
    std::ranges::stable_sort(field_.findings, {}, &MimeFinding::offset);
    return std::move(field_);
  }

 private:
  void find(MimeFault fault, std::size_t offset) {
    if (field_.findings.size() < kMaxParameters) field_.findings.push_back({fault, offset});
  }
  void blanks() {
    const auto start = lexer_.offset();
    if (!lexer_.skip_cfws()) find(MimeFault::UnclosedComment, start);
  }

  // *(";" parameter), standing at the ";" or where one should be. Some senders leave it out between two lines.
  void next_parameter() {
    const auto separator = lexer_.offset();
    const bool has_separator = lexer_.consume(';');
    blanks();
    if (has_separator && (lexer_.at_end() || lexer_.peek() == ';')) return find(MimeFault::EmptyParameter, separator);
    if (!has_separator) find(MimeFault::Syntax, separator);
    RawParameter raw;
    raw.offset = lexer_.offset();
    if (!attribute(raw)) return skip_to_separator();
    blanks();
    if (!lexer_.consume('=')) {
      find(MimeFault::MissingValue, raw.offset);
      if (!lexer_.at_end() && lexer_.peek() != ';') skip_to_separator();
      return;
    }
    blanks();
    raw.value = value();
    blanks();
    if (raw_.size() < kMaxParameters) {
      raw_.push_back(std::move(raw));
    } else {
      find(MimeFault::TooMany, raw.offset);
      lexer_.advance(lexer_.rest().size());
    }
  }

  bool attribute(RawParameter& raw) {
    std::string_view name = lexer_.token();
    if (name.empty()) {
      find(MimeFault::Syntax, raw.offset);
      return false;
    }
    // The name was there in one piece; its "*" forms are read from the end.
    if (name.size() > 1 && name.ends_with('*')) {
      raw.is_extended = true;
      name.remove_suffix(1);
    }
    if (const auto star = name.rfind('*'); star != std::string_view::npos && star > 0) {
      raw.section = base::text::parse_number<unsigned>(name.substr(star + 1));
      if (raw.section) name = name.substr(0, star);
    }
    raw.name = base::text::to_lower(name);
    return true;
  }

  std::string value() {
    const auto start = lexer_.offset();
    if (lexer_.peek() == '"') {
      auto text = lexer_.quoted_string();
      if (text) return *text;
      find(MimeFault::UnclosedQuote, start);
      return unquoted(lexer_.between(start + 1));
    }
    std::string text(lexer_.token());
    const auto end = lexer_.offset();
    blanks();
    if (lexer_.at_end() || lexer_.peek() == ';' || begins_parameter()) {
      if (text.empty()) find(MimeFault::MissingValue, start);
      return text;
    }
    // Not a token: what stands there up to the separator, without what follows it.
    find(MimeFault::UnquotedValue, end);
    skip_to_separator();
    std::string_view all = lexer_.between(start);
    while (!all.empty() && std::string_view(" \t\r\n").contains(all.back())) all.remove_suffix(1);
    return unquoted(all);
  }

  // token "=" without a ";" in front, on a line of its own.
  [[nodiscard]] bool begins_parameter() const {
    Lexer ahead = lexer_;
    if (ahead.token().empty()) return false;
    (void)ahead.skip_cfws();
    return ahead.peek() == '=';
  }

  void skip_to_separator() {
    while (!lexer_.at_end() && lexer_.peek() != ';') {
      if (lexer_.peek() == '"') {
        (void)lexer_.quoted_string();
      } else {
        lexer_.advance();
      }
    }
  }

  // Parameters from their parts: RFC 2231 sections 3 and 4. The extended form wins over the plain one of the same name.
  void assemble() {
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      const auto& raw = raw_[i];
      if (field_.parameter(raw.name) != nullptr) {
        if (!raw.section && !raw.is_extended) report_duplicate(i);
        continue;
      }
      auto parameter = choose(raw.name);
      if (parameter) field_.parameters.push_back(std::move(*parameter));
    }
  }

  void report_duplicate(std::size_t index) {
    const auto& raw = raw_[index];
    const auto is_same = [&](const RawParameter& other) { return other.name == raw.name && !other.section && !other.is_extended; };
    if (std::ranges::count_if(raw_.begin(), raw_.begin() + static_cast<std::ptrdiff_t>(index), is_same) > 0) find(MimeFault::DuplicateParameter, raw.offset);
  }

  std::optional<Parameter> choose(const std::string& name) {
    const auto find_form = [&](bool is_extended) {
      return std::ranges::find_if(raw_, [&](const RawParameter& raw) { return raw.name == name && !raw.section && raw.is_extended == is_extended; });
    };
    if (const auto extended = find_form(true); extended != raw_.end()) return Parameter{name, extended_value({&*extended}), extended->offset};
    if (const auto parts = continuation(name); !parts.empty()) return Parameter{name, extended_value(parts), parts.front()->offset};
    const auto plain = find_form(false);
    if (plain == raw_.end()) return std::nullopt;
    if (plain->value.starts_with("=?") && parse_encoded_word(plain->value)) find(MimeFault::EncodedWord, plain->offset);
    return Parameter{name, valid_utf8(plain->value), plain->offset};
  }

  // name*0, name*1, ... as far as they go without a gap.
  std::vector<const RawParameter*> continuation(const std::string& name) {
    std::vector<const RawParameter*> all;
    for (const auto& raw : raw_)
      if (raw.name == name && raw.section) all.push_back(&raw);
    std::ranges::stable_sort(all, {}, [](const RawParameter* raw) { return *raw->section; });
    std::vector<const RawParameter*> parts;
    for (const auto* raw : all) {
      if (*raw->section == parts.size()) {
        parts.push_back(raw);
      } else {
        find(MimeFault::BadContinuation, raw->offset);
        if (*raw->section > parts.size()) break;
      }
    }
    return parts;
  }

  std::string extended_value(const std::vector<const RawParameter*>& parts) {
    std::string octets, charset;
    for (const auto* part : parts) {
      std::string_view text = part->value;
      if (part->is_extended && part == parts.front()) {
        const auto first = text.find('\'');
        const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
        if (second == std::string_view::npos) {
          find(MimeFault::BadExtended, part->offset);
        } else {
          charset = text.substr(0, first);
          text.remove_prefix(second + 1);
        }
      }
      octets += part->is_extended ? percent_decoded(text, part->offset) : std::string(text);
    }
    if (charset.empty()) return valid_utf8(octets);
    return to_utf8(octets, charset).value_or(valid_utf8(octets));
  }

  std::string percent_decoded(std::string_view text, std::size_t offset) {
    const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : base::text::lower(c) >= 'a' && base::text::lower(c) <= 'f' ? base::text::lower(c) - 'a' + 10 : -1; };
    std::string octets;
    bool is_bad = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        octets += text[i];
      } else if (i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
        octets += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
        i += 2;
      } else {
        octets += '%';
        is_bad = true;
      }
    }
    if (is_bad) find(MimeFault::BadPercent, offset);
    return octets;
  }

  Lexer lexer_;
  MimeField field_;
  std::vector<RawParameter> raw_;
};

}  // namespace

const std::string* MimeField::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  return found == parameters.end() ? nullptr : &found->value;
}

std::optional<MimeField> parse_content_type(std::string_view body) { return Parser(body).parse(true); }
std::optional<MimeField> parse_content_disposition(std::string_view body) { return Parser(body).parse(false); }

Mechanism parse_transfer_encoding(std::string_view body) {
  Lexer lexer(body);
  (void)lexer.skip_cfws();
  Mechanism mechanism;
  mechanism.offset = lexer.offset();
  mechanism.name = lexer.token();
  (void)lexer.skip_cfws();
  mechanism.encoding = transfer_encoding_of(mechanism.name);
  mechanism.has_junk = !lexer.at_end();
  return mechanism;
}

}  // namespace mail
