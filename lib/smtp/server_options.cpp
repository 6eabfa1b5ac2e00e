#include "lib/smtp/server_options.h"

#include <array>
#include <vector>

#include "lib/base/text.h"

namespace smtp {
namespace {

struct Line {
  Extension extension;
  std::string_view keyword;
};
constexpr auto kKeywords = std::to_array<Line>({
    {kPipelining, "PIPELINING"},
    {kSize, "SIZE"},
    {k8BitMime, "8BITMIME"},
    {kChunking, "CHUNKING"},
    {kBinaryMime, "BINARYMIME"},
    {kSmtpUtf8, "SMTPUTF8"},
    {kDsn, "DSN"},
    {kStartTls, "STARTTLS"},
    {kRequireTls, "REQUIRETLS"},
    {kAuth, "AUTH"},  // its line is made for each session: the mechanisms depend on TLS
    {kEtrn, "ETRN"},
    {kLimits, "LIMITS"},
    {kEnhancedStatus, "ENHANCEDSTATUSCODES"},
});

// RFC 9422 section 4: what a client would else find out by a 421 or 452.
std::string limits_of(const ServerLimits& limits) {
  std::string text = " RCPTMAX=" + std::to_string(limits.recipients);
  if (limits.transactions > 0) text += " MAILMAX=" + std::to_string(limits.transactions);
  return text;
}

// STARTTLS is offered in clear only (RFC 3207 section 4.2), REQUIRETLS under TLS only (RFC 8689 section 2).
std::string ehlo_reply_of(const ServerOptions& options, const std::string& first_line, unsigned extensions) {
  std::string reply = "250-" + (first_line.empty() ? options.server_name : first_line) + "\r\n";
  std::size_t last_line = 0;
  for (const auto& line : kKeywords) {
    if ((extensions & line.extension & ~static_cast<unsigned>(kAuth)) == 0) continue;
    last_line = reply.size();
    reply += "250-" + std::string(line.keyword);
    if (line.extension == kLimits) reply += limits_of(options.limits);
    if (line.extension == kSize) reply += " " + std::to_string(options.limits.message_octets);
    reply += "\r\n";
  }
  reply[last_line + 3] = ' ';
  return reply;
}

}  // namespace

unsigned extension_named(std::string_view keyword) {
  for (const auto& line : kKeywords)
    if (base::text::equal_ignoring_case(line.keyword, keyword)) return line.extension;
  return 0;
}

std::string extension_names(unsigned extensions) {
  std::string names;
  for (const auto& line : kKeywords)
    if ((extensions & line.extension) != 0) names.append(" ").append(line.keyword);
  return names;
}

void ServerOptions::prepare() {
  greeting_reply = replies.greeting.empty() ? "220 " + server_name + " " + greeting + "\r\n" : replies.greeting;
  helo_reply = replies.helo.empty() ? "250 " + server_name + "\r\n" : replies.helo;
  ehlo_reply = ehlo_reply_of(*this, replies.ehlo, extensions & ~static_cast<unsigned>(kRequireTls));
  ehlo_reply_secured = ehlo_reply_of(*this, replies.ehlo_secured, extensions & ~static_cast<unsigned>(kStartTls));
}

}  // namespace smtp
