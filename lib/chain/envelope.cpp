#include "lib/chain/envelope.h"

#include "lib/base/text.h"

namespace chain {

std::string to_octets(const mail::Envelope& envelope) {
  std::size_t size = envelope.reverse_path.size() + 3;
  for (const auto& recipient : envelope.recipients) size += recipient.size() + 2;
  std::string octets;
  octets.reserve(size);
  octets += 'F';
  octets += envelope.reverse_path;
  octets += '\0';
  for (const auto& recipient : envelope.recipients) {
    octets += 'T';
    octets += recipient;
    octets += '\0';
  }
  octets += '\0';
  return octets;
}

namespace {
base::Result<mail::Envelope> bad(const std::string& what) { return base::fail(base::Fault::Permanent, "envelope: " + what); }
}  // namespace

base::Result<mail::Envelope> parse_envelope(std::string_view octets) {
  mail::Envelope envelope;
  bool has_sender = false;
  for (;;) {
    const auto end = octets.find('\0');
    if (end == std::string_view::npos) return bad("ends without the last NUL");
    const auto line = octets.substr(0, end);
    octets.remove_prefix(end + 1);
    if (line.empty()) break;
    const char expected = has_sender ? 'T' : 'F';
    if (line.front() != expected) return bad("'" + base::text::printable(line, 40) + "' where " + expected + " was expected");
    if (has_sender) {
      envelope.recipients.emplace_back(line.substr(1));
    } else {
      envelope.reverse_path = line.substr(1);
      has_sender = true;
    }
  }
  if (!has_sender) return bad("no sender");
  if (!octets.empty()) return bad(std::to_string(octets.size()) + " octets behind its end");
  return envelope;
}

}  // namespace chain
