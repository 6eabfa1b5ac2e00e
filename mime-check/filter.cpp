#include "mime-check/filter.h"

#include <algorithm>

#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "mime-check/report.h"

namespace mime_check {
namespace {

// A reply line has 512 octets (RFC 5321 section 4.5.3.1.5), with code, status and line end.
constexpr std::size_t kMaxReplyText = 450;

std::string refusal(const Findings& findings, Severity from) {
  const auto* first = findings.first(from);
  auto text = "554 5.6.0 " + (first != nullptr ? in_short(*first) : std::string("malformed message"));
  text += "; " + counts_text(findings.count(Severity::Error), findings.count(Severity::Warning), findings.count(Severity::Note));
  if (text.size() > kMaxReplyText) text = text.substr(0, kMaxReplyText) + "...";
  return text;
}

base::Result<base::Blob> with_field(const std::string& field, std::string_view octets) {
  const base::BlobWriter::Limits limits;
  base::BlobWriter writer(limits);
  for (const auto piece : {std::string_view(field), octets})
    if (const auto appended = writer.append(piece); !appended) return std::unexpected(appended.error());
  return writer.finish();
}

chain::Answer failed(const base::Error& error) {
  base::log::error("failed", {{"cause", error.cause}});
  return chain::Answer::exit(base::exit_row(error.fault).in_chain);
}

}  // namespace

std::string mark_field(std::string_view name, const Findings& findings) {
  auto field = std::string(name) + ": errors=" + std::to_string(findings.count(Severity::Error)) + " warnings=" + std::to_string(findings.count(Severity::Warning)) +
               " notes=" + std::to_string(findings.count(Severity::Note)) + "\r\n";
  const auto* first = findings.first(Severity::Note);
  for (const auto severity : {Severity::Error, Severity::Warning})
    if (const auto* worst = findings.first(severity)) {
      first = worst;
      break;
    }
  if (first == nullptr) return field;
  field += "\tfirst=\"";
  for (const char c : in_short(*first).substr(0, kMaxReplyText)) {
    if (c == '"' || c == '\\') field += '\\';
    field += c;
  }
  return field + "\"\r\n";
}

chain::Answer filter(const chain::Invocation& invocation, const FilterOptions& options) {
  // What a resident program was started with holds; it would be wrong to leave out what a chain asks for without a word.
  if (!invocation.arguments.empty()) return failed({base::Fault::Usage, "unexpected argument in a chain: " + invocation.arguments.front(), 0});
  const auto view = invocation.call.message.view();
  if (!view) return failed(view.error());
  Findings findings(options.disabled, options.limits);
  check_message(view->octets(), options.rules, findings);
  if (options.refuse_from && findings.has(*options.refuse_from)) {
    const auto reply = refusal(findings, *options.refuse_from);
    base::log::info("refused", {{"reply", reply}});
    return chain::Answer::as_reported(base::Fault::Permanent, reply);
  }
  auto answer = chain::Answer::pass();
  if (options.mark.empty()) return answer;
  auto marked = with_field(mark_field(options.mark, findings), view->octets());
  if (!marked) return failed(marked.error());
  answer.message = std::move(*marked);
  return answer;
}

}  // namespace mime_check
