#include "vsl-filter/transaction/mailbox_edit.h"

#include <vector>

#include "lib/mail/mailbox_list.h"
#include "vsl-filter/transaction/addresses.h"

namespace rules {
namespace {

constexpr std::size_t kGoodLineOctets = 78;  // RFC 5322 section 2.1.1
constexpr std::string_view kBlanks = " \t\r\n";

// Octets of the body that go, and what comes instead.
struct Cut {
  std::size_t begin, end;
  std::string_view text;
};

std::string cut(std::string_view body, const std::vector<Cut>& cuts) {
  std::string out;
  out.reserve(body.size() + 100);
  std::size_t at = 0;
  for (const auto& part : cuts) {
    out.append(body.substr(at, part.begin - at)).append(part.text);
    at = part.end;
  }
  return out.append(body.substr(at));
}

std::size_t without_blanks_at_end(std::string_view body, std::size_t end) {
  const auto last = body.substr(0, end).find_last_not_of(kBlanks);
  return last == std::string_view::npos ? 0 : last + 1;
}

// The list, or a group of it, while mailboxes are taken out of it. Neighbours go in one cut, and of the two separators around
// them one: that in front, unless the line is folded at the other one.
class Level {
 public:
  Level(std::string_view body, std::vector<Cut>& cuts) : body_(body), cuts_(cuts) {}

  void take_out(const mail::NamedMailbox& mailbox) {
    if (first_ == nullptr) first_ = &mailbox;
    last_ = &mailbox;
  }
  // Somebody who stays begins at `offset`.
  void keep(std::size_t offset) {
    if (first_ != nullptr) cut_run(offset);
    has_kept_ = true;
  }
  void finish() {
    if (first_ != nullptr) cuts_.push_back({has_kept_ ? before() : first_->offset, without_blanks_at_end(body_, last_->end), {}});
    first_ = nullptr;
  }

 private:
  [[nodiscard]] std::size_t before() const { return first_->comma_before.value_or(first_->offset); }
  [[nodiscard]] bool is_folded(std::size_t begin, std::size_t end) const { return body_.substr(begin, end - begin).contains('\n'); }

  void cut_run(std::size_t next) {
    const bool has_comma_behind = last_->end < body_.size() && body_[last_->end] == ',';
    const bool takes_front = has_kept_ && first_->comma_before && (!has_comma_behind || (is_folded(last_->end, next) && !is_folded(before(), first_->offset)));
    if (takes_front) {
      cuts_.push_back({before(), without_blanks_at_end(body_, last_->end), {}});
    } else {
      // Not up to `next`: a comment may stand in front of it.
      const auto behind = has_comma_behind ? body_.find_first_not_of(kBlanks, last_->end + 1) : last_->end;
      cuts_.push_back({first_->offset, behind, {}});
    }
    first_ = nullptr;
  }

  std::string_view body_;
  std::vector<Cut>& cuts_;
  const mail::NamedMailbox* first_ = nullptr;  // of those that go since somebody stayed
  const mail::NamedMailbox* last_ = nullptr;
  bool has_kept_ = false;
};

}  // namespace

MailboxEdit remove_mailbox(std::string_view body, std::string_view address) {
  const auto list = mail::parse_address_list(body);
  const auto key = address_key(address);
  MailboxEdit edit;
  edit.is_empty = true;
  std::vector<Cut> cuts;
  const auto look_at = [&](Level& level, const mail::NamedMailbox& mailbox) {
    if (address_key(mailbox.address) == key) {
      level.take_out(mailbox);
      ++edit.changes;
    } else {
      level.keep(mailbox.offset);
      edit.is_empty = false;
    }
  };
  Level outer(body, cuts);
  for (const auto& entry : list.entries) {
    if (!entry.is_group) {
      look_at(outer, entry.mailbox);
      continue;
    }
    outer.keep(entry.mailbox.offset);
    edit.is_empty = false;
    Level inner(body, cuts);
    for (const auto& member : entry.members) look_at(inner, member);
    inner.finish();
  }
  outer.finish();
  edit.body = cut(body, cuts);
  return edit;
}

MailboxEdit replace_mailbox(std::string_view body, std::string_view old_address, std::string_view new_address) {
  const auto list = mail::parse_address_list(body);
  const auto key = address_key(old_address);
  std::vector<Cut> cuts;
  for (const auto* mailbox : list.mailboxes())
    if (address_key(mailbox->address) == key) cuts.push_back({mailbox->address_begin, mailbox->address_end, new_address});
  return {cut(body, cuts), cuts.size(), false};
}

std::string append_mailbox(std::string_view body, std::string_view address, std::size_t octets_before, std::string_view line_end) {
  std::string out(body.substr(0, without_blanks_at_end(body, body.size())));
  if (out.empty()) return " " + std::string(address);
  if (!out.ends_with(',')) out += ',';
  const auto last_line = out.rfind('\n');
  const auto line_octets = last_line == std::string::npos ? octets_before + out.size() : out.size() - last_line - 1;
  if (line_octets + 1 + address.size() > kGoodLineOctets) out += line_end;
  return out.append(" ").append(address);
}

}  // namespace rules
