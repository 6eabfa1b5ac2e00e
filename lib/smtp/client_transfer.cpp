// What a client may say to some servers only: BDAT (RFC 3030) and XFORWARD.
#include <algorithm>
#include <utility>

#include "lib/base/text.h"
#include "lib/mail/dsn.h"
#include "lib/smtp/client_session.h"

namespace smtp {
namespace {

using Class = Verdict::Class;

constexpr int kServiceClosing = 421;

bool asks_for(std::string_view attributes, std::string_view name) {
  const auto words = base::text::split(attributes, ' ');
  return std::ranges::any_of(words, [&](std::string_view word) { return base::text::equal_ignoring_case(word, name); });
}

}  // namespace

// ---- BDAT: the whole message is the last chunk

void ClientSession::put_chunk() {
  const auto& needs = transaction_.needs;
  const bool quits = transaction_.is_last && is_pipelining();
  commands_ += "BDAT " + std::to_string(needs.size_octets) + " LAST\r\n";
  writer_ = DotWriter(transaction_.message, needs.size_octets == transaction_.message.size(), quits ? "QUIT\r\n" : "", DotWriter::Form::Chunk);
  if (quits) plan(ClientStage::Quit);
}

// Who refuses it before its end would have to read the rest all the same, or hangs up: the session is over.
void ClientSession::on_chunk(Reply reply) {
  if (writer_.is_done()) return on_message(std::move(reply));
  const Verdict verdict{reply.digit() == 5 ? Class::Permanent : Class::Temporary, ClientStage::Chunk, false, std::move(reply)};
  if (verdict.reply.code != kServiceClosing) decide_open(verdict);
  fail(verdict);
}

// ---- XFORWARD: who the client of this client is. A server that does not want it says no, and takes the message as from us.

void ClientSession::put_forward() {
  commands_ += "XFORWARD";
  for (const auto& [name, value] : transaction_.client)
    if (asks_for(extensions_.xforward_attributes, name)) commands_ += " " + name + "=" + (value.empty() ? "[UNAVAILABLE]" : mail::to_xtext(value));
  commands_ += "\r\n";
}

void ClientSession::on_forward(Reply) {}

}  // namespace smtp
