#include "lib/chain/policy_action.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/chain/transfer.h"
#include "lib/mail/address.h"
#include "lib/smtp/reply.h"

namespace chain {
namespace {

using Kind = PolicyAction::Kind;

// What stands behind the word.
enum class Behind : std::uint8_t { Anything, Field, Address, NextHop };

struct Word {
  std::string_view word;
  Kind kind;
  std::string_view code;  // of the reply that a refusal is; "" where there is none
  Behind behind = Behind::Anything;
};
constexpr auto kWords = std::to_array<Word>({
    {"DUNNO", Kind::Dunno, ""},
    {"OK", Kind::Ok, ""},
    {"PERMIT", Kind::Ok, ""},
    {"REJECT", Kind::Refuse, "554"},
    {"DEFER", Kind::Refuse, "450"},
    {"DEFER_IF_PERMIT", Kind::DeferIfPermit, "450"},
    {"DEFER_IF_REJECT", Kind::DeferIfReject, "450"},
    {"DISCARD", Kind::Discard, ""},
    {"HOLD", Kind::Hold, ""},
    {"PREPEND", Kind::Prepend, "", Behind::Field},
    {"REDIRECT", Kind::Redirect, "", Behind::Address},
    {"BCC", Kind::Copy, "", Behind::Address},
    {"FILTER", Kind::Filter, "", Behind::NextHop},
    {"INFO", Kind::Info, ""},
    {"WARN", Kind::Warn, ""},
});

// RFC 3463 has 7.1 for what a policy refuses.
std::string reply_of(std::string_view code, std::string_view text) {
  std::string_view words = text;
  const auto status = smtp::consume_enhanced_status(words);
  words = base::text::trim(words);
  std::string reply = std::string(code) + " ";
  if (status.empty()) {
    reply.append(code.substr(0, 1)).append(".7.1");
  } else {
    reply.append(status);
  }
  return reply.append(" ").append(words.empty() ? "Access denied" : words);
}

bool is_code(std::string_view word) {
  return word.size() == 3 && (word[0] == '4' || word[0] == '5') && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_field(std::string_view text) {
  const auto name = text.substr(0, text.find(':'));
  return name.size() < text.size() && !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

// TRANSPORT:NEXTHOP of Postfix's transport(5), as far as a ForwardTarget says it: smtp and relay speak SMTP, and a host stands in
// brackets where its mail exchangers are not wanted. We look up none for a content filter in any case. "": it is something else.
std::string target_of(std::string_view text) {
  const auto [transport, next_hop] = base::text::split_once(text, ':');
  if (transport != "smtp" && transport != "relay") return {};
  std::string target(next_hop);
  if (const auto end = target.find(']'); target.starts_with('[') && end != std::string::npos) {
    if (end + 1 < target.size() && target[end + 1] != ':') return {};
    const bool is_ipv6 = std::string_view(target).substr(0, end).contains(':');
    if (base::text::starts_with_ignoring_case(target, "[ipv6:")) target.erase(1, 5);
    if (!is_ipv6) target = target.substr(1, end - 1) + target.substr(end + 1);
  }
  const auto parsed = ForwardTarget::parse(target);
  return parsed && parsed->kind != ForwardTarget::Kind::Url ? parsed->text() : std::string();
}

std::unexpected<base::Error> not_one(std::string_view text, const char* expected) {
  return base::fail(base::Fault::Temporary, "action '" + std::string(text.substr(0, 100)) + "'; expected: " + expected);
}

}  // namespace

base::Result<PolicyAction> parse_action(std::string_view text) {
  const auto all = base::text::trim(text);
  const auto word = all.substr(0, all.find_first_of(" \t"));
  const auto behind = base::text::trim(all.substr(word.size()));
  if (is_code(word)) return PolicyAction{Kind::Refuse, reply_of(word, behind)};
  const auto row = std::ranges::find_if(kWords, [&](const Word& one) { return base::text::equal_ignoring_case(one.word, word); });
  if (row == kWords.end()) return not_one(all, "one of Postfix's access(5), such as DUNNO, REJECT, DEFER_IF_PERMIT or 550");
  switch (row->behind) {
    case Behind::Field:
      if (!is_field(behind)) return not_one(all, "NAME: VALUE behind it");
      break;
    case Behind::Address:
      if (!mail::parse_mailbox(behind)) return not_one(all, "an address behind it");
      break;
    case Behind::NextHop: {
      auto target = target_of(behind);
      if (target.empty()) return not_one(all, "smtp:HOST:PORT or smtp:[ADDRESS]:PORT behind it");
      return PolicyAction{row->kind, std::move(target)};
    }
    case Behind::Anything: break;
  }
  return PolicyAction{row->kind, row->code.empty() ? std::string(behind) : reply_of(row->code, behind)};
}

}  // namespace chain
