#include "lib/mail/received.h"

#include <array>

#include "lib/base/text.h"
#include "lib/mail/date.h"

namespace mail {
namespace {

struct ProtocolRow {
  std::string_view smtp, lmtp;
};
constexpr std::size_t kTls = 1, kAuthenticated = 2, kUtf8 = 4;
constexpr std::array<ProtocolRow, 8> kProtocols = {{
    /* -            */ {"ESMTP", "LMTP"},
    /* tls          */ {"ESMTPS", "LMTPS"},
    /* auth         */ {"ESMTPA", "LMTPA"},
    /* tls auth     */ {"ESMTPSA", "LMTPSA"},
    /* utf8         */ {"UTF8SMTP", "UTF8LMTP"},
    /* utf8 tls     */ {"UTF8SMTPS", "UTF8LMTPS"},
    /* utf8 auth    */ {"UTF8SMTPA", "UTF8LMTPA"},
    /* utf8 tls auth*/ {"UTF8SMTPSA", "UTF8LMTPSA"},
}};

// A word of the client's, as an atom or address literal would look: anything that could end a line, a comment or the
// clause becomes '?'. At most as long as a domain.
void append_word(std::string& out, std::string_view word) {
  constexpr std::size_t kMaxOctets = 255;
  for (const char c : word.substr(0, kMaxOctets)) {
    const auto octet = static_cast<unsigned char>(c);
    const bool is_harmless = octet > 32 && octet < 127 && !std::string_view("()<>,;\\\"").contains(c);
    out += is_harmless ? c : '?';
  }
}

void append_comment(std::string& out, std::string_view text) {
  out += '(';
  for (const char c : text) out += static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126 || std::string_view("()\\").contains(c) ? '?' : c;
  out += ')';
}

// TCP-info = address-literal / (Domain FWS address-literal); also the name of a client that gave none.
void append_address_literal(std::string& out, std::string_view ip) {
  out += ip.contains(':') ? "[IPv6:" : "[";
  append_word(out, ip);
  out += ']';
}

void append_from(std::string& out, const Trace& trace) {
  if (trace.client_ip.empty() && trace.helo.empty()) return;
  out += "from ";
  if (trace.helo.empty()) {
    append_address_literal(out, trace.client_ip);
  } else {
    append_word(out, trace.helo);
  }
  if (!trace.client_ip.empty()) {
    out += " (";
    if (!trace.client_host.empty()) {
      append_word(out, trace.client_host);
      out += ' ';
    }
    append_address_literal(out, trace.client_ip);
    out += ')';
  }
  out += "\r\n\t";
}

// An address was parsed when it was accepted, but a quoted local-part may hold blanks: only line ends and controls matter.
void append_path(std::string& out, std::string_view address) {
  out += '<';
  for (const char c : address) out += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  out += '>';
}

}  // namespace

std::string_view protocol_name(const Protocol& protocol) {
  if (!protocol.is_extended && !protocol.is_lmtp) return "SMTP";
  const auto& row = kProtocols[(protocol.is_tls ? kTls : 0) + (protocol.is_authenticated ? kAuthenticated : 0) + (protocol.is_smtputf8 ? kUtf8 : 0)];
  return protocol.is_lmtp ? row.lmtp : row.smtp;
}

void append_received(std::string& out, const Trace& trace) {
  out += "Received: ";
  append_from(out, trace);
  out += "by ";
  out += trace.by;
  if (!trace.protocol.empty()) {
    out += " with ";
    out += trace.protocol;
  }
  if (!trace.tls.empty()) {
    out += ' ';
    append_comment(out, trace.tls);
  }
  if (!trace.id.empty()) {
    out += " id ";
    out += trace.id;
  }
  if (!trace.recipient.empty()) {
    out += "\r\n\tfor ";
    append_path(out, trace.recipient);
  }
  out += "; ";
  append_date_time(out, trace.time);
  out += "\r\n";
}

std::size_t count_received(std::string_view message, std::size_t limit) {
  constexpr std::string_view kName = "received";
  std::size_t count = 0;
  while (count < limit && !message.empty() && !message.starts_with('\n') && !message.starts_with("\r\n")) {
    if (base::text::starts_with_ignoring_case(message, kName)) {
      auto rest = message.substr(kName.size());
      while (!rest.empty() && base::text::is_space(rest.front())) rest.remove_prefix(1);  // obs-optional  RFC 5322 section 4.5
      if (rest.starts_with(':')) ++count;
    }
    const auto line_end = message.find('\n');
    if (line_end == std::string_view::npos) break;
    message.remove_prefix(line_end + 1);
  }
  return count;
}

}  // namespace mail
