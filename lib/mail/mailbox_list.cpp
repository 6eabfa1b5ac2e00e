#include "lib/mail/mailbox_list.h"

#include <algorithm>
#include <optional>

#include "lib/mail/address.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/lexer.h"

namespace mail {
namespace {

struct Word {
  enum class Kind : std::uint8_t { Atom, Quoted, Dot } kind;
  std::string_view raw;
  std::string text;  // of a quoted-string: what it stands for
  std::size_t offset = 0;
  bool is_spaced = false;  // blanks or a comment in front
};
using Words = std::vector<Word>;

class Parser {
 public:
  Parser(std::string_view body, std::size_t limit) : lexer_(body), body_(body), limit_(limit) {}

  AddressList parse() {
    while (skip_cfws(), !lexer_.at_end() && mailboxes_ < limit_) element();
    if (mailboxes_ >= limit_ && !lexer_.at_end()) find(ListFault::TooMany, lexer_.offset());
    if (in_group_) find(ListFault::UnclosedGroup, lexer_.offset());
    if (last_comma_ && !after_element_) find(ListFault::ObsoleteEmptyElement, *last_comma_);
    std::ranges::stable_sort(list_.findings, {}, &ListFinding::offset);
    return std::move(list_);
  }

 private:
  void find(ListFault fault, std::size_t offset) {
    if (list_.findings.size() < kMaxFindings) list_.findings.push_back({fault, offset});
  }

  bool skip_cfws() {
    const auto start = lexer_.offset();
    if (!lexer_.skip_cfws()) find(ListFault::UnclosedComment, start);
    if (!lexer_.last_comment().empty()) comment_ = lexer_.last_comment();
    return lexer_.offset() > start;
  }

  // What stands between two separators: nothing, a mailbox, or the beginning of a group.
  void element() {
    const auto start = lexer_.offset();
    if (lexer_.consume(',')) {
      // obs-addr-list: an element may be missing; so the one behind the last comma.
      if (!std::exchange(after_element_, false)) find(ListFault::ObsoleteEmptyElement, start);
      last_comma_ = start;
      return;
    }
    if (lexer_.consume(';')) {
      if (!std::exchange(in_group_, false)) find(ListFault::Semicolon, start);
      after_element_ = true;
      return;
    }
    if (after_element_) find(ListFault::Syntax, start);  // two elements and no comma
    comment_ = {};
    const auto comma_before = std::exchange(last_comma_, std::nullopt);
    const auto words = phrase();
    if (lexer_.peek() == ':' && !words.empty()) return begin_group(words, start);
    after_element_ = true;
    mailbox(words, start, comma_before);
  }

  void begin_group(const Words& words, std::size_t start) {
    if (in_group_) find(ListFault::NestedGroup, lexer_.offset());
    lexer_.advance();
    check_phrase(words);
    AddressEntry& group = list_.entries.emplace_back();
    group.is_group = true;
    group.mailbox.name = phrase_text(words);
    group.mailbox.offset = start;
    in_group_ = true;
    after_element_ = false;
  }

  // Words up to the next octet that is none: phrase, or the local-part of an addr-spec.
  Words phrase() {
    Words words;
    bool is_spaced = false;
    for (;; is_spaced = skip_cfws()) {
      const auto start = lexer_.offset();
      if (lexer_.peek() == '"') {
        auto text = lexer_.quoted_string();
        if (!text) find(ListFault::UnclosedQuote, start);
        words.push_back({Word::Kind::Quoted, lexer_.between(start), text.value_or(unquoted(lexer_.between(start + 1))), start, is_spaced});
      } else if (lexer_.consume('.')) {
        words.push_back({Word::Kind::Dot, lexer_.between(start), ".", start, is_spaced});
      } else if (const auto atom = lexer_.atom(); !atom.empty()) {
        words.push_back({Word::Kind::Atom, atom, std::string(atom), start, is_spaced});
      } else {
        return words;
      }
    }
  }

  void mailbox(const Words& words, std::size_t start, std::optional<std::size_t> comma_before) {
    NamedMailbox found;
    found.offset = start;
    found.comma_before = comma_before;
    const bool has_address = take_mailbox(words, found);
    if (!has_address) return;
    found.end = lexer_.offset();
    if (found.name.empty()) found.name = decode_text(unquoted(comment_));
    ++mailboxes_;
    if (in_group_) {
      list_.entries.back().members.push_back(std::move(found));
    } else {
      list_.entries.push_back({false, std::move(found), {}});
    }
  }

  bool take_mailbox(const Words& words, NamedMailbox& found) {
    if (lexer_.peek() == '<') {
      check_phrase(words);
      found.name = phrase_text(words);
      return angle_addr(found);
    }
    if (lexer_.peek() == '@') return bare_addr_spec(words, found);
    if (words.empty()) {
      find(ListFault::Syntax, lexer_.offset());
      skip_junk();
      return false;
    }
    // A name and no address: a local one for `sendmail -t`, an error for a message.
    find(ListFault::MissingDomain, words.front().offset);
    if (lexer_.peek() != ',' && lexer_.peek() != ';' && !lexer_.at_end()) skip_junk();
    if (words.size() > 1 && std::ranges::any_of(words, [](const Word& word) { return word.is_spaced; })) {
      find(ListFault::Syntax, words.front().offset);
      return false;
    }
    found.address = local_part(words);
    set_range(found, words, words.back().offset + words.back().raw.size());
    return true;
  }

  static void set_range(NamedMailbox& found, const Words& words, std::size_t end) {
    found.address_begin = words.front().offset;
    found.address_end = end;
  }

  // local-part "@" domain without angle brackets. Senders put one in front of an angle-addr without quoting it; then it is
  // the name.
  bool bare_addr_spec(const Words& words, NamedMailbox& found) {
    const auto start = words.empty() ? lexer_.offset() : words.front().offset;
    const auto local_words = last_run(words);
    if (local_words.size() < words.size()) find(ListFault::Syntax, start);  // a name, and its address without "<"
    found.name = phrase_text({words.begin(), words.end() - static_cast<std::ptrdiff_t>(local_words.size())});
    found.address = addr_spec(local_words);
    if (!local_words.empty()) set_range(found, local_words, domain_end_);
    skip_cfws();
    if (lexer_.at_end() || lexer_.peek() == ',' || lexer_.peek() == ';') return !found.address.empty();
    find(ListFault::Syntax, lexer_.offset());
    (void)phrase();
    if (lexer_.peek() != '<') {
      skip_junk();
      return !found.address.empty();
    }
    found.name = decode_text(body_.substr(start, lexer_.offset() - start));
    while (found.name.ends_with(' ')) found.name.pop_back();
    return angle_addr(found);
  }

  // From the "<". angle-addr, obs-route
  bool angle_addr(NamedMailbox& found) {
    const auto start = lexer_.offset();
    lexer_.advance();
    skip_cfws();
    if (lexer_.consume('>')) {
      find(ListFault::EmptyAngle, start);
      skip_after_angle(found);
      return false;
    }
    if (lexer_.peek() == '@' || lexer_.peek() == ',') skip_route();
    const auto words = phrase();
    if (lexer_.peek() == '@') {
      found.address = addr_spec(words);
      if (!words.empty()) set_range(found, words, domain_end_);
    } else if (!words.empty()) {
      find(ListFault::MissingDomain, words.front().offset);
      found.address = local_part(words);
      set_range(found, words, words.back().offset + words.back().raw.size());
    }
    skip_cfws();
    if (!lexer_.consume('>')) {
      find(lexer_.at_end() || lexer_.peek() == ',' ? ListFault::UnclosedAngle : ListFault::Syntax, lexer_.at_end() ? start : lexer_.offset());
      skip_to_angle_end();
    }
    skip_after_angle(found);
    return !found.address.empty();
  }

  void skip_route() {
    const auto colon = lexer_.rest().find_first_of(":>");
    if (colon == std::string_view::npos || lexer_.rest()[colon] != ':') return;
    find(ListFault::ObsoleteRoute, lexer_.offset());
    lexer_.advance(colon + 1);
    skip_cfws();
  }

  void skip_to_angle_end() {
    const auto stop = lexer_.rest().find_first_of(">,");
    lexer_.advance(stop == std::string_view::npos ? lexer_.rest().size() : stop);
    lexer_.consume('>');
  }

  // Only a separator may follow an angle-addr. Words there are taken as the name when there was none.
  void skip_after_angle(NamedMailbox& found) {
    skip_cfws();
    if (lexer_.at_end() || lexer_.peek() == ',' || lexer_.peek() == ';') return;
    find(ListFault::Syntax, lexer_.offset());
    const auto words = phrase();
    if (found.name.empty()) found.name = phrase_text(words);
    if (!lexer_.at_end() && lexer_.peek() != ',' && lexer_.peek() != ';') skip_junk();
  }

  // To the next separator outside of quotes and comments.
  void skip_junk() {
    while (!lexer_.at_end() && lexer_.peek() != ',' && lexer_.peek() != ';') {
      if (lexer_.peek() == '"') {
        (void)lexer_.quoted_string();
      } else if (lexer_.peek() == '(') {
        (void)lexer_.skip_cfws();
      } else {
        lexer_.advance();
      }
    }
  }

  // Stands at the "@". "" when a part is missing.
  std::string addr_spec(const Words& words) {
    const auto at = lexer_.offset();
    lexer_.advance();
    domain_end_ = lexer_.offset();
    if (words.empty()) find(ListFault::MissingLocalPart, at);
    const std::string local = local_part(words);
    const auto after_words = words.empty() ? at : words.back().offset + words.back().raw.size();
    bool is_spaced = at > after_words;
    const auto domain_start = lexer_.offset();
    is_spaced |= skip_cfws();
    const std::string domain = lexer_.peek() == '[' ? domain_literal() : domain_name(is_spaced);
    if (is_spaced) find(ListFault::ObsoleteSpacing, after_words);
    if (domain.empty()) find(ListFault::MissingDomain, domain_start);
    if (words.empty()) return {};
    return domain.empty() ? local : local + "@" + domain;
  }

  std::string domain_literal() {
    const auto start = lexer_.offset();
    const auto literal = lexer_.domain_literal();
    domain_end_ = lexer_.offset();
    if (literal) return *literal;
    find(ListFault::UnclosedLiteral, start);
    return {};
  }

  // dot-atom, or obs-domain with blanks around its dots
  std::string domain_name(bool& is_spaced) {
    std::string domain;
    for (;;) {
      const auto atom = lexer_.atom();
      if (atom.empty()) {
        find(ListFault::Syntax, lexer_.offset());
        break;
      }
      domain += atom;
      domain_end_ = lexer_.offset();
      const bool blanks = skip_cfws();
      if (!lexer_.consume('.')) break;
      is_spaced |= blanks;
      is_spaced |= skip_cfws();
      domain += '.';
    }
    return domain;
  }

  // The words at the end that form word *("." word), or stand close together: there are mailboxes called a..b and a. which
  // their owners cannot quote.
  static Words last_run(const Words& words) {
    auto first = words.end();
    while (first != words.begin()) {
      const bool is_alternating = first == words.end() || (first[-1].kind == Word::Kind::Dot) != (first->kind == Word::Kind::Dot);
      if (!is_alternating && first->is_spaced) break;
      --first;
    }
    return {first, words.end()};
  }

  // word *("." word), joined without blanks.
  std::string local_part(const Words& words) {
    std::string octets;
    bool wants_dot = false, is_spaced = false, has_quoted = false;
    for (const auto& word : words) {
      const bool is_dot = word.kind == Word::Kind::Dot;
      if (is_dot != wants_dot) find(ListFault::Syntax, word.offset);
      if (&word != &words.front() && word.is_spaced && !std::exchange(is_spaced, true)) find(ListFault::ObsoleteSpacing, word.offset);
      has_quoted |= word.kind == Word::Kind::Quoted;
      wants_dot = !is_dot;
      octets += word.text;
    }
    if (!words.empty() && !wants_dot) find(ListFault::Syntax, words.back().offset);  // ends in a dot
    if (has_quoted && words.size() > 1) find(ListFault::ObsoleteLocalPart, words.front().offset);
    return words.size() == 1 && has_quoted ? quote_or_keep(words.front()) : quote_local_part(octets);
  }

  // As it was written, unless it was folded or is not closed.
  static std::string quote_or_keep(const Word& word) {
    const bool is_folded = word.raw.find_first_of("\r\n") != std::string_view::npos;
    return is_folded || word.raw.size() < 2 || !word.raw.ends_with('"') ? quote_local_part(word.text) : std::string(word.raw);
  }

  void check_phrase(const Words& words) {
    const auto dot = std::ranges::find(words, Word::Kind::Dot, &Word::kind);
    if (dot != words.end()) find(ListFault::ObsoletePhrase, dot->offset);
  }

  // Atoms are decoded together, since blanks between encoded words go; what is quoted means itself.
  static std::string phrase_text(const Words& words) {
    std::string text, atoms;
    const auto flush = [&] { text += decode_text(std::exchange(atoms, {})); };
    for (const auto& word : words) {
      const bool is_first = text.empty() && atoms.empty();
      if (word.kind == Word::Kind::Quoted) {
        flush();
        if (!is_first) text += ' ';
        text += word.text;
        continue;
      }
      if (!is_first && (word.is_spaced || atoms.empty())) atoms += ' ';
      atoms += word.raw;
    }
    flush();
    return text;
  }

  static constexpr std::size_t kMaxFindings = 1000;

  Lexer lexer_;
  std::string_view body_;
  std::size_t limit_;
  AddressList list_;
  std::string_view comment_;  // the last one of the current element
  std::size_t mailboxes_ = 0;
  bool in_group_ = false;
  bool after_element_ = false;  // a separator must come next
  std::optional<std::size_t> last_comma_;  // since then nothing came but blanks
  std::size_t domain_end_ = 0;  // of the last addr_spec(), without what stands between it and the next token
};

}  // namespace

std::vector<const NamedMailbox*> AddressList::mailboxes() const {
  std::vector<const NamedMailbox*> all;
  for (const auto& entry : entries) {
    if (!entry.is_group) all.push_back(&entry.mailbox);
    for (const auto& member : entry.members) all.push_back(&member);
  }
  return all;
}

AddressList parse_address_list(std::string_view body, std::size_t limit) { return Parser(body, limit).parse(); }

std::string encode_phrase(std::string_view utf8) {
  if (needs_encoding(utf8)) return encode_words(utf8);
  const bool is_atoms = !utf8.empty() && std::ranges::all_of(utf8, [](char c) { return c == ' ' || is_atext(c); }) && !utf8.starts_with(' ') && !utf8.ends_with(' ') && !utf8.contains("  ");
  if (is_atoms) return std::string(utf8);
  std::string quoted = "\"";
  for (const char c : utf8) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace mail
