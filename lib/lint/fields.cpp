// Bodies of structured fields, each by its syntax: RFC 5322 section 3, RFC 2045, RFC 2183, and encoded words of RFC 2047.
#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/lexer.h"
#include "lib/mail/mailbox_list.h"
#include "lib/mail/mime.h"
#include "lib/lint/check.h"

namespace lint {
namespace {

using mail::Field;

struct FieldChecker {
  const Subject& subject;
  const Field& field;

  // `offset` counts in the body.
  void add(Id id, std::size_t offset, std::size_t length = 1, std::string detail = {}) const {
    subject.findings.add(id, subject.offset_of(field.body) + offset, length, std::move(detail));
  }
  // Where the body says something, for what concerns all of it.
  [[nodiscard]] std::size_t first_text() const { return std::min(field.body.find_first_not_of(" \t\r\n"), field.body.size()); }

  void nothing() const {}

  // ---- dates

  void date_time() const { date_time_at(0); }
  void date_time_at(std::size_t start) const {
    const auto date = mail::parse_date_time(field.body.substr(start));
    if (!date) return add(Id::BadDate, start + date.error().offset, 1, "expected " + std::string(date.error().expected));
    if (date->is_obsolete) add(Id::ObsoleteDate, std::max(start, first_text()));
    if (date->has_wrong_day_name) add(Id::WrongDayName, std::max(start, first_text()), 3);
  }

  // name-val-list ";" date-time
  void received() const {
    const auto semicolon = field.body.rfind(';');
    if (semicolon == std::string_view::npos || !mail::parse_date_time(field.body.substr(semicolon + 1))) add(Id::BadReceived, semicolon == std::string_view::npos ? first_text() : semicolon);
  }

  // ---- addresses

  struct ListText {
    mail::ListFault fault;
    std::string_view text;
  };
  static constexpr auto kListTexts = std::to_array<ListText>({
      {mail::ListFault::ObsoletePhrase, "dot in a name without quotes"},
      {mail::ListFault::ObsoleteRoute, "source route"},
      {mail::ListFault::ObsoleteSpacing, "blank or comment inside"},
      {mail::ListFault::ObsoleteLocalPart, "local-part of several words"},
      {mail::ListFault::ObsoleteEmptyElement, "nothing at the comma"},
      {mail::ListFault::Syntax, "unexpected here"},
      {mail::ListFault::UnclosedComment, "comment is not closed"},
      {mail::ListFault::UnclosedQuote, "quote is not closed"},
      {mail::ListFault::UnclosedAngle, "'<' is not closed"},
      {mail::ListFault::UnclosedLiteral, "address literal is not closed"},
      {mail::ListFault::UnclosedGroup, "group has no ';' at its end"},
      {mail::ListFault::NestedGroup, "group in a group"},
      {mail::ListFault::MissingLocalPart, "no local-part"},
      {mail::ListFault::MissingDomain, "no domain"},
      {mail::ListFault::EmptyAngle, "nothing between '<' and '>'"},
      {mail::ListFault::Semicolon, "';' between addresses"},
      {mail::ListFault::TooMany, "too many addresses to look at"},
  });

  [[nodiscard]] mail::AddressList list() const {
    auto list = mail::parse_address_list(field.body);
    for (const auto& [fault, offset] : list.findings) {
      const auto text = std::ranges::find(kListTexts, fault, &ListText::fault);
      add(mail::is_obsolete(fault) ? Id::ObsoleteAddress : Id::BadAddress, offset, 1, std::string(text->text));
    }
    for (const auto* mailbox : list.mailboxes()) {
      const auto parsed = mail::parse_mailbox(mailbox->address, {.smtputf8 = true});
      if (!parsed && mailbox->address.contains('@')) add(Id::AddressNotSmtp, mailbox->offset, 1, std::string(mail::describe(parsed.error())));
    }
    return list;
  }

  void address_list() const {
    const auto found = list();
    if (found.entries.empty() && found.findings.empty()) add(Id::EmptyAddressList, field.body.size());
  }
  void bcc_list() const { (void)list(); }

  void mailbox_list() const {
    const auto found = list();
    if (found.entries.empty() && found.findings.empty()) add(Id::EmptyAddressList, field.body.size());
    for (const auto& entry : found.entries)
      if (entry.is_group) add(Id::GroupAsAuthor, entry.mailbox.offset);
  }

  void mailbox() const {
    const auto found = list();
    const auto mailboxes = found.mailboxes();
    if (mailboxes.empty() && found.findings.empty()) add(Id::EmptyAddressList, field.body.size());
    if (mailboxes.size() > 1) add(Id::SenderCount, mailboxes[1]->offset);
  }

  void path() const {
    auto text = field.body.substr(first_text());
    const bool is_path = mail::consume_reverse_path(text, {.smtputf8 = true}).has_value();
    mail::Lexer rest(text);
    (void)rest.skip_cfws();
    if (!is_path || !rest.at_end()) add(Id::BadReturnPath, first_text());
  }

  // ---- identifiers

  struct IdentifierText {
    mail::MessageIdFault fault;
    std::string_view text;
  };
  static constexpr auto kIdentifierTexts = std::to_array<IdentifierText>({
      {mail::MessageIdFault::NoAngle, "not in angle brackets"},
      {mail::MessageIdFault::Unclosed, "'<' is not closed"},
      {mail::MessageIdFault::NoAt, "no '@' with something on both sides"},
      {mail::MessageIdFault::Blank, "blank inside"},
      {mail::MessageIdFault::Empty, "nothing between '<' and '>'"},
  });

  // How many there are.
  [[nodiscard]] std::size_t identifiers() const {
    std::size_t offset = 0, count = 0;
    while (const auto found = mail::next_message_id(field.body, offset)) {
      ++count;
      const auto text = std::ranges::find(kIdentifierTexts, found->fault, &IdentifierText::fault);
      if (text != kIdentifierTexts.end()) add(Id::BadMessageId, found->id.offset, found->id.id.size(), std::string(text->text));
    }
    return count;
  }
  void message_ids() const {
    if (identifiers() == 0) add(Id::BadMessageId, field.body.size(), 1, "none there");
  }
  void message_id() const {
    const auto count = identifiers();
    if (count == 0) add(Id::BadMessageId, field.body.size(), 1, "none there");
    if (count > 1) add(Id::BadMessageId, first_text(), 1, "more than one");
  }

  // ---- MIME

  // "1.0", with comments anywhere
  void mime_version() const {
    mail::Lexer lexer(field.body);
    (void)lexer.skip_cfws();
    const bool is_one = lexer.consume('1') && lexer.skip_cfws() && lexer.consume('.') && lexer.skip_cfws() && lexer.consume('0') && lexer.skip_cfws() && lexer.at_end();
    if (!is_one) add(Id::BadMimeVersion, first_text());
  }

  struct ParameterText {
    mail::MimeFault fault;
    Id id;
    std::string_view text;
  };
  static constexpr auto kParameterTexts = std::to_array<ParameterText>({
      {mail::MimeFault::Syntax, Id::BadParameter, "expected ';' and name=value"},
      {mail::MimeFault::UnclosedComment, Id::BadParameter, "comment is not closed"},
      {mail::MimeFault::UnclosedQuote, Id::BadParameter, "quote is not closed"},
      {mail::MimeFault::UnquotedValue, Id::BadParameter, "value needs quotes"},
      {mail::MimeFault::MissingValue, Id::BadParameter, "no value"},
      {mail::MimeFault::EmptyParameter, Id::BadParameter, "nothing behind ';'"},
      {mail::MimeFault::DuplicateParameter, Id::BadParameter, "the same name twice"},
      {mail::MimeFault::BadContinuation, Id::BadExtendedParameter, "parts are not numbered from 0 without a gap"},
      {mail::MimeFault::BadPercent, Id::BadExtendedParameter, "'%' without two hexadecimal digits"},
      {mail::MimeFault::BadExtended, Id::BadExtendedParameter, "no charset'language' in front"},
      {mail::MimeFault::EncodedWord, Id::MisplacedEncodedWord, "in a parameter: RFC 2231 says how"},
      {mail::MimeFault::TooMany, Id::LimitReached, "parameters"},
  });

  void parameters(const mail::MimeField& parsed) const {
    for (const auto& [fault, offset] : parsed.findings) {
      const auto text = std::ranges::find(kParameterTexts, fault, &ParameterText::fault);
      add(text->id, offset, 1, std::string(text->text));
    }
  }
  void content_type() const {
    const auto parsed = mail::parse_content_type(field.body);
    if (!parsed) return add(Id::BadContentType, first_text());
    parameters(*parsed);
  }
  void content_disposition() const {
    const auto parsed = mail::parse_content_disposition(field.body);
    if (!parsed) return add(Id::BadDisposition, first_text());
    parameters(*parsed);
  }
  void transfer_encoding() const {
    const auto mechanism = mail::parse_transfer_encoding(field.body);
    if (mechanism.encoding == mail::TransferEncoding::Unknown) return add(Id::BadEncoding, mechanism.offset, std::max<std::size_t>(mechanism.name.size(), 1));
    if (mechanism.has_junk) add(Id::EncodingJunk, mechanism.offset + mechanism.name.size());
  }
};

struct Checker {
  mail::Syntax syntax;
  void (FieldChecker::*check)() const;
  bool has_encoded_words;  // RFC 2047 section 5 allows them somewhere in it
};
constexpr auto kCheckers = std::to_array<Checker>({
    {mail::Syntax::Unstructured, &FieldChecker::nothing, true},
    {mail::Syntax::DateTime, &FieldChecker::date_time, false},
    {mail::Syntax::MailboxList, &FieldChecker::mailbox_list, true},
    {mail::Syntax::Mailbox, &FieldChecker::mailbox, true},
    {mail::Syntax::AddressList, &FieldChecker::address_list, true},
    {mail::Syntax::BccList, &FieldChecker::bcc_list, true},
    {mail::Syntax::MessageId, &FieldChecker::message_id, false},
    {mail::Syntax::MessageIds, &FieldChecker::message_ids, false},
    {mail::Syntax::PhraseList, &FieldChecker::nothing, true},
    {mail::Syntax::Path, &FieldChecker::path, false},
    {mail::Syntax::Received, &FieldChecker::received, false},
    {mail::Syntax::MimeVersion, &FieldChecker::mime_version, false},
    {mail::Syntax::ContentType, &FieldChecker::content_type, false},
    {mail::Syntax::ContentDisposition, &FieldChecker::content_disposition, false},
    {mail::Syntax::TransferEncoding, &FieldChecker::transfer_encoding, false},
});
constexpr bool checkers_are_in_order() {
  for (std::size_t i = 0; i < kCheckers.size(); ++i)
    if (static_cast<std::size_t>(kCheckers[i].syntax) != i) return false;
  return kCheckers.back().syntax == mail::Syntax::TransferEncoding;
}
static_assert(checkers_are_in_order(), "a checker is found by its syntax");

const Checker& checker_of(const Field& field) {
  const auto* row = mail::find_known_field(field.name);
  return kCheckers[static_cast<std::size_t>(row != nullptr ? row->syntax : mail::Syntax::Unstructured)];
}

struct WordText {
  mail::EncodedWordFault fault;
  std::string_view text;
};
constexpr auto kWordTexts = std::to_array<WordText>({
    {mail::EncodedWordFault::TooLong, "more than 75 octets"},
    {mail::EncodedWordFault::BadBase64, "not base64"},
    {mail::EncodedWordFault::BadEscape, "'=' without two hexadecimal digits"},
    {mail::EncodedWordFault::Blank, "blank inside"},
    {mail::EncodedWordFault::NotUtf8, "not UTF-8: perhaps a character cut in two"},
});

// Octets that may stand beside an encoded word: blanks, and the brackets of a comment; in a phrase what separates words too.
bool separates(std::string_view body, std::size_t at, bool is_unstructured) {
  if (at >= body.size()) return true;
  return std::string_view(is_unstructured ? " \t\r\n()" : " \t\r\n()<>,:;").contains(body[at]);
}

}  // namespace

void check_field(const Subject& subject, const Field& field) { (FieldChecker{subject, field}.*checker_of(field).check)(); }

void check_encoded_words(const Subject& subject, const Field& field) {
  const auto& checker = checker_of(field);
  if (!checker.has_encoded_words) return;
  const bool is_unstructured = checker.syntax == mail::Syntax::Unstructured;
  const FieldChecker here{subject, field};
  bool is_quoted = false;
  for (std::size_t at = 0; at < field.body.size(); ++at) {
    const char c = field.body[at];
    if (!is_unstructured && c == '\\') {
      ++at;
    } else if (!is_unstructured && c == '"') {
      is_quoted = !is_quoted;
    }
    if (c != '=') continue;
    const auto word = mail::parse_encoded_word(field.body.substr(at));
    if (!word) continue;
    const auto text = std::ranges::find(kWordTexts, mail::check(*word), &WordText::fault);
    if (is_quoted) {
      here.add(Id::MisplacedEncodedWord, at, word->octets, "in quotes");
    } else if (text != kWordTexts.end()) {
      here.add(Id::BadEncodedWord, at, word->octets, std::string(text->text));
    } else if ((at > 0 && !separates(field.body, at - 1, is_unstructured)) || !separates(field.body, at + word->octets, is_unstructured)) {
      here.add(Id::MisplacedEncodedWord, at, word->octets, "no blank beside it");
    }
    at += word->octets - 1;
  }
}

}  // namespace lint
