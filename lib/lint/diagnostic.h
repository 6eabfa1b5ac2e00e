// All that can be found in a message, a row each. mime-check --list prints the table, --disable and the reports use its names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lint {

enum class Severity : std::uint8_t {
  Note,     // lawful, but worth knowing
  Warning,  // obsolete, or readers will differ on it
  Error,    // against the RFC
};
constexpr std::string_view name_of(Severity severity) {
  constexpr auto kNames = std::to_array<std::string_view>({"note", "warning", "error"});
  return kNames[static_cast<std::size_t>(severity)];
}
constexpr std::optional<Severity> severity_of(std::string_view name) {
  for (const auto severity : {Severity::Note, Severity::Warning, Severity::Error})
    if (name_of(severity) == name) return severity;
  return std::nullopt;
}

enum class Id : std::uint8_t {
  BareCr, BareLf, MixedLineEnds, Nul, LineTooLong, LongLine, NoLineEnd,
  MboxLine, NoHeader, NotAField, StrayContinuation, BadFieldName, SpaceBeforeColon, BlankFoldedLine, ControlInHeader, Header8bit, Utf8Header,
  MissingField, NoMessageId, DuplicateField, MissingSender,
  BadDate, ObsoleteDate, WrongDayName, BadAddress, ObsoleteAddress, AddressNotSmtp, EmptyAddressList, SenderCount, GroupAsAuthor,
  BadMessageId, BadReceived, BadReturnPath, BadEncodedWord, MisplacedEncodedWord,
  BadMimeVersion, NoMimeVersion, BadContentType, BadParameter, BadExtendedParameter, BadDisposition, BadEncoding, EncodingJunk, EncodedComposite,
  NoBoundary, BadBoundary, SameBoundary, NoParts, UnclosedMultipart, NearDelimiter, Preamble, Epilogue,
  EightBitIn7bit, EightBitEnclosed, BadQuotedPrintable, SloppyQuotedPrintable, BadBase64, SloppyBase64, NoCharset, NotUtf8,
  LimitReached,
};

struct Row {
  Id id;
  std::string_view name;
  Severity severity;
  std::string_view section;  // "RFC 5322 2.1.1"
  std::string_view text;
};

inline constexpr auto kRows = std::to_array<Row>({
    // Lines
    {Id::BareCr, "bare-cr", Severity::Error, "RFC 5322 2.3", "CR without LF"},
    {Id::BareLf, "bare-lf", Severity::Error, "RFC 5322 2.3", "LF without CR"},
    {Id::MixedLineEnds, "mixed-line-ends", Severity::Warning, "RFC 5322 2.3", "line ends in CR LF, most others in LF alone"},
    {Id::Nul, "nul", Severity::Error, "RFC 5322 2.1", "NUL"},
    {Id::LineTooLong, "line-too-long", Severity::Error, "RFC 5322 2.1.1", "line of more than 998 octets"},
    {Id::LongLine, "long-line", Severity::Note, "RFC 5322 2.1.1", "line of more than 78 characters"},
    {Id::NoLineEnd, "no-line-end", Severity::Note, "RFC 5322 2.1", "last line has no line end"},
    // Header
    {Id::MboxLine, "mbox-line", Severity::Note, "RFC 4155 A", "line of an mbox file in front of the header"},
    {Id::NoHeader, "no-header", Severity::Error, "RFC 5322 2.1", "no header"},
    {Id::NotAField, "not-a-field", Severity::Error, "RFC 5322 2.2", "neither field nor empty line: the header ends here"},
    {Id::StrayContinuation, "stray-continuation", Severity::Error, "RFC 5322 2.2.3", "continuation of no field"},
    {Id::BadFieldName, "bad-field-name", Severity::Error, "RFC 5322 2.2", "field name is empty or not ASCII"},
    {Id::SpaceBeforeColon, "space-before-colon", Severity::Warning, "RFC 5322 4.5", "blank before the colon is obsolete"},
    {Id::BlankFoldedLine, "blank-folded-line", Severity::Warning, "RFC 5322 4.2", "folded line of nothing but blanks is obsolete"},
    {Id::ControlInHeader, "control-in-header", Severity::Error, "RFC 5322 2.2", "control character in a field"},
    {Id::Header8bit, "header-8bit", Severity::Error, "RFC 5322 2.2", "octets over 127 in a field that are no UTF-8"},
    {Id::Utf8Header, "utf8-header", Severity::Note, "RFC 6532 3.2", "UTF-8 in a field needs SMTPUTF8 on its way"},
    // Which fields
    {Id::MissingField, "missing-field", Severity::Error, "RFC 5322 3.6", "required field is missing"},
    {Id::NoMessageId, "no-message-id", Severity::Note, "RFC 5322 3.6.4", "no Message-ID"},
    {Id::DuplicateField, "duplicate-field", Severity::Error, "RFC 5322 3.6", "field occurs more than once"},
    {Id::MissingSender, "missing-sender", Severity::Error, "RFC 5322 3.6.2", "several authors and no Sender"},
    // What is in them
    {Id::BadDate, "bad-date", Severity::Error, "RFC 5322 3.3", "not a date"},
    {Id::ObsoleteDate, "obsolete-date", Severity::Warning, "RFC 5322 4.3", "obsolete form of a date"},
    {Id::WrongDayName, "wrong-day-name", Severity::Warning, "RFC 5322 3.3", "date was another day of the week"},
    {Id::BadAddress, "bad-address", Severity::Error, "RFC 5322 3.4", "not an address list"},
    {Id::ObsoleteAddress, "obsolete-address", Severity::Warning, "RFC 5322 4.4", "obsolete form of an address"},
    {Id::AddressNotSmtp, "address-not-smtp", Severity::Warning, "RFC 5321 4.1.2", "address that SMTP cannot carry"},
    {Id::EmptyAddressList, "empty-address-list", Severity::Error, "RFC 5322 3.4", "no address"},
    {Id::SenderCount, "sender-count", Severity::Error, "RFC 5322 3.6.2", "more than one mailbox where one is allowed"},
    {Id::GroupAsAuthor, "group-as-author", Severity::Note, "RFC 6854 2", "group where old readers know mailboxes only"},
    {Id::BadMessageId, "bad-message-id", Severity::Warning, "RFC 5322 3.6.4", "not a message identifier"},
    {Id::BadReceived, "bad-received", Severity::Note, "RFC 5322 3.6.7", "trace field without a date behind a semicolon"},
    {Id::BadReturnPath, "bad-return-path", Severity::Warning, "RFC 5322 3.6.7", "not a path in angle brackets"},
    {Id::BadEncodedWord, "bad-encoded-word", Severity::Warning, "RFC 2047 2", "bad encoded word"},
    {Id::MisplacedEncodedWord, "misplaced-encoded-word", Severity::Note, "RFC 2047 5", "encoded word where it means itself"},
    // MIME fields
    {Id::BadMimeVersion, "bad-mime-version", Severity::Warning, "RFC 2045 4", "MIME-Version is not 1.0"},
    {Id::NoMimeVersion, "no-mime-version", Severity::Warning, "RFC 2045 4", "MIME fields without MIME-Version"},
    {Id::BadContentType, "bad-content-type", Severity::Error, "RFC 2045 5.1", "not type/subtype: taken for text/plain"},
    {Id::BadParameter, "bad-parameter", Severity::Warning, "RFC 2045 5.1", "bad parameter"},
    {Id::BadExtendedParameter, "bad-extended-parameter", Severity::Warning, "RFC 2231 3", "bad extended parameter"},
    {Id::BadDisposition, "bad-disposition", Severity::Warning, "RFC 2183 2", "not a disposition: taken for attachment"},
    {Id::BadEncoding, "bad-encoding", Severity::Error, "RFC 2045 6.1", "unknown transfer encoding"},
    {Id::EncodingJunk, "encoding-junk", Severity::Warning, "RFC 2045 6.1", "text behind the transfer encoding"},
    {Id::EncodedComposite, "encoded-composite", Severity::Error, "RFC 2045 6.4", "only 7bit, 8bit and binary are allowed here"},
    // MIME structure
    {Id::NoBoundary, "no-boundary", Severity::Error, "RFC 2046 5.1.1", "multipart without boundary parameter"},
    {Id::BadBoundary, "bad-boundary", Severity::Error, "RFC 2046 5.1.1", "bad boundary"},
    {Id::SameBoundary, "same-boundary", Severity::Error, "RFC 2046 5.1.2", "boundary begins like that of a multipart around it"},
    {Id::NoParts, "no-parts", Severity::Error, "RFC 2046 5.1.1", "multipart has no part"},
    {Id::UnclosedMultipart, "unclosed-multipart", Severity::Error, "RFC 2046 5.1.1", "multipart is not closed"},
    {Id::NearDelimiter, "near-delimiter", Severity::Warning, "RFC 2046 5.1.1", "line begins like a delimiter: readers differ on it"},
    {Id::Preamble, "preamble", Severity::Note, "RFC 2046 5.1.1", "text before the first part"},
    {Id::Epilogue, "epilogue", Severity::Note, "RFC 2046 5.1.1", "text behind the last part"},
    // Bodies
    {Id::EightBitIn7bit, "8bit-in-7bit", Severity::Error, "RFC 2045 2.7", "octet over 127 where 7bit is declared"},
    {Id::EightBitEnclosed, "8bit-enclosed", Severity::Warning, "RFC 2045 6.4", "8bit part inside of what is declared 7bit"},
    {Id::BadQuotedPrintable, "bad-quoted-printable", Severity::Error, "RFC 2045 6.7", "not quoted-printable"},
    {Id::SloppyQuotedPrintable, "sloppy-quoted-printable", Severity::Warning, "RFC 2045 6.7", "quoted-printable against a rule of writing it"},
    {Id::BadBase64, "bad-base64", Severity::Error, "RFC 2045 6.8", "not base64"},
    {Id::SloppyBase64, "sloppy-base64", Severity::Warning, "RFC 2045 6.8", "base64 against a rule of writing it"},
    {Id::NoCharset, "no-charset", Severity::Warning, "RFC 2046 4.1.2", "text over 127 with no charset that has it"},
    {Id::NotUtf8, "not-utf8", Severity::Error, "RFC 3629 3", "text is not UTF-8 as its charset says"},

    {Id::LimitReached, "limit-reached", Severity::Warning, "", "more than this check looks at"},
});

constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].id) != i) return false;
  return kRows.back().id == Id::LimitReached;
}
static_assert(rows_are_in_order(), "a row is found by its id");

constexpr const Row& row_of(Id id) { return kRows[static_cast<std::size_t>(id)]; }
constexpr const Row* find_row(std::string_view name) {
  for (const auto& row : kRows)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace lint
