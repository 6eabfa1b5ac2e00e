#include "qctl/portable.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "lib/base/base64.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "qctl/context.h"
#include "qctl/mbox.h"

namespace qctl {
namespace {
using Json = nlohmann::ordered_json;

constexpr std::string_view kBase64 = "_base64";

// Octets as they are, or in base64 under a name that says so.
void append_octets(std::string& json, std::string name, std::string_view octets) {
  const bool is_text = base::utf8::is_valid(octets);
  base::json::append_member(json, is_text ? name : name.append(kBase64), is_text ? octets : base::to_base64(octets));
}

void append_list(std::string& json, std::string name, const std::vector<std::string>& texts) {
  const bool are_text = std::ranges::all_of(texts, [](const auto& text) { return base::utf8::is_valid(text); });
  base::json::append_name(json, are_text ? name : name.append(kBase64));
  json += '[';
  for (const auto& text : texts) {
    if (json.back() != '[') json += ',';
    base::json::append_string(json, are_text ? text : base::to_base64(text));
  }
  json += ']';
}

// The text of a member, whichever way it is written.
std::optional<std::string> octets_of(const Json& object, const std::string& name) {
  if (const auto member = object.find(name); member != object.end() && member->is_string()) return member->get<std::string>();
  const auto member = object.find(name + std::string(kBase64));
  if (member == object.end() || !member->is_string()) return std::nullopt;
  return base::from_base64(member->get_ref<const std::string&>());
}

std::optional<std::vector<std::string>> list_of(const Json& object, const std::string& name) {
  const auto plain = object.find(name), encoded = object.find(name + std::string(kBase64));
  const auto member = plain != object.end() ? plain : encoded;
  if (member == object.end() || !member->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& each : *member) {
    if (!each.is_string()) return std::nullopt;
    auto text = member == plain ? std::optional(each.get<std::string>()) : base::from_base64(each.get_ref<const std::string&>());
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::unexpected<base::Error> expected(std::string_view what) { return base::fail(base::Fault::Permanent, "expected: " + std::string(what)); }

// What to_json_line() wrote.
base::Result<void> read_own(const Json& own, Portable& message) {
  const auto text = [&](const char* name) { return octets_of(own, name).value_or(""); };
  message.id = queue::Id::parse(text("id"));
  message.place = queue::Place::parse(text("queue"));
  message.arrived = base::parse_rfc3339(text("arrived"));
  message.next_attempt = base::parse_rfc3339(text("next_attempt"));
  message.reverse_path = octets_of(own, "sender");
  auto recipients = list_of(own, "recipients");
  auto context = octets_of(own, "context");
  const auto progress = list_of(own, "progress");
  if (!message.id || !message.place || !message.arrived || !message.reverse_path || !recipients || !context || !progress)
    return expected("vsmtp.id, queue, arrived, sender, recipients, context and progress as qctl export writes them");
  message.recipients = std::move(*recipients);
  message.context = std::move(*context);
  for (const auto& line : *progress) {
    auto event = queue::parse_event(line);
    if (!event) return expected("vsmtp.progress with lines as in progress/ID");
    message.events.push_back(std::move(*event));
  }
  return {};
}

// A context of vsl.md 4.4 that another program wrote.
base::Result<void> read_context(Json&& context, Portable& message) {
  const auto at = [&](const char* pointer) { return Json::json_pointer(pointer); };
  if (context.contains(at("/envelop/mail_from")) && context[at("/envelop/mail_from")].is_string()) message.reverse_path = context[at("/envelop/mail_from")];
  if (context.contains(at("/envelop/rcpt")) && context[at("/envelop/rcpt")].is_array())
    for (const auto& each : context[at("/envelop/rcpt")])
      if (each.is_object() && each.contains("address") && each["address"].is_string()) message.recipients.push_back(each["address"]);
  context.erase("message");
  context.erase("message" + std::string(kBase64));
  message.context = context.dump(-1, ' ', false, Json::error_handler_t::replace);
  return {};
}

void read_json_lines(std::string_view octets, const OnPortable& on_message) {
  std::size_t number = 0;
  while (!octets.empty()) {
    const auto line = octets.substr(0, octets.find('\n'));
    octets.remove_prefix(std::min(line.size() + 1, octets.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (!on_message(parse_json_line(line), "line " + std::to_string(number))) return;
  }
}

base::Result<Portable> read_item(std::string_view octets) {
  std::uint64_t offset = 0;
  auto item = queue::parse_item(octets, octets.size(), offset);
  if (!item) return std::unexpected(item.error());
  Portable message;
  message.id = item->id;
  message.arrived = item->arrived;
  message.reverse_path = std::move(item->envelope.reverse_path);
  message.recipients = std::move(item->envelope.recipients);
  message.context = std::move(item->context);
  message.message = octets.substr(offset);
  return message;
}

}  // namespace

std::string to_json_line(const queue::Seen& seen, std::string_view message) {
  std::string json = canonical_context(seen.item, seen.events, false);
  json.pop_back();
  base::json::append_name(json, "vsmtp");
  json += '{';
  base::json::append_member(json, "id", seen.item.id.text());
  base::json::append_member(json, "queue", seen.place.folder());
  base::json::append_member(json, "arrived", base::to_rfc3339(seen.item.arrived));
  if (seen.place.state == queue::State::Deferred) base::json::append_member(json, "next_attempt", base::to_rfc3339(seen.modified));
  append_octets(json, "sender", seen.item.envelope.reverse_path);
  append_list(json, "recipients", seen.item.envelope.recipients);
  append_octets(json, "context", seen.item.context);
  std::vector<std::string> lines;
  for (const auto& event : seen.events) lines.push_back(queue::to_line(event)), lines.back().pop_back();
  append_list(json, "progress", lines);
  json += '}';
  append_octets(json, "message", message);
  return json + "}\n";
}

base::Result<Portable> parse_json_line(std::string_view line) {
  auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return expected("one JSON object");
  Portable message;
  auto octets = octets_of(json, "message");
  if (!octets) return expected("a member message or message_base64");
  message.message = std::move(*octets);
  const auto own = json.find("vsmtp");
  const auto read = own != json.end() && own->is_object() ? read_own(*own, message) : read_context(std::move(json), message);
  if (!read) return std::unexpected(read.error());
  return message;
}

std::string to_mbox(const queue::Seen& seen, std::string_view message) { return mbox::write(seen, message); }

void read_portable(std::string_view octets, const OnPortable& on_message) {
  if (octets.starts_with("{")) return read_json_lines(octets, on_message);
  if (octets.starts_with("From ")) return mbox::read(octets, on_message);
  if (octets.starts_with("vsmtp-item ")) {
    (void)on_message(read_item(octets), "octet 0");
    return;
  }
  Portable message;
  message.message = octets;
  (void)on_message(std::move(message), "octet 0");
}

}  // namespace qctl
