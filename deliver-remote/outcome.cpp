#include "deliver-remote/outcome.h"

#include "lib/base/text.h"

namespace remote {
namespace {

namespace text = base::text;
using Class = Verdict::Class;

constexpr std::size_t kMaxLineOctets = 500;
constexpr std::size_t kMaxLines = 20;  // of a reply; more is a flood, and the first ones say what it is about

std::string printable_lines(std::string_view words) {
  std::string lines;
  std::size_t count = 0;
  for (const auto line : text::split(words, '\n')) {
    if (++count > kMaxLines) return lines += "\n...";
    if (count > 1) lines += '\n';
    lines += text::printable(line, kMaxLineOctets);
  }
  return lines;
}

bool agrees(const smtp::Reply& reply, Class result) {
  switch (result) {
    case Class::Accepted: return reply.digit() == 2;
    case Class::Permanent: return reply.digit() == 5;
    case Class::Temporary:
    case Class::Undecided: break;
  }
  return reply.digit() == 4;
}

// For a code that a rule reads otherwise than its digit: 552 to RCPT is temporary (RFC 5321 section 4.5.3.1.10).
constexpr int code_for(Class result) { return result == Class::Accepted ? 250 : result == Class::Permanent ? 554 : 451; }

}  // namespace

std::string Outcome::text() const {
  std::string text = before;
  if (!text.empty()) text += '\n';
  text += host;
  if (!host.empty()) text += verdict.is_ours ? ": " : " said at " + std::string(smtp::stage_name(verdict.stage)) + ": ";
  return text += printable_lines(verdict.reply.words());
}

std::string Outcome::reply() const {
  auto reply = verdict.reply;
  if (!agrees(reply, verdict.result)) {
    reply.code = code_for(verdict.result);
    reply.status.clear();
  }
  if (verdict.is_ours && !host.empty()) reply.text.insert(0, host + ": ");
  return printable_lines(reply.words());
}

Verdict our_verdict(Class result, int code, std::string_view status, std::string text) {
  return {result, smtp::ClientStage::Greeting, true, {code, std::string(status), std::move(text)}};
}

bool is_worse(const Outcome& a, const Outcome& b) {
  const auto badness = [](Class result) { return result == Class::Accepted ? 0 : result == Class::Permanent ? 2 : 1; };
  return badness(a.verdict.result) > badness(b.verdict.result);
}

}  // namespace remote
