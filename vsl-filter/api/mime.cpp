// The structure of the message and its structured fields, for reading (vsl.md 5.4).
#include "vsl-filter/transaction/mime_parts.h"

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/values.h"
#include "vsl-filter/lang/regex.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

vsl::Expected<const mail::Message*> structure_at(Run& run) {
  auto message = message_at(run, "mime");
  if (!message) return pass_on(message);
  const auto parts = (*message)->parts();
  if (!parts) return vsl::fail_api("failed to parse the message body, `" + parts.error().cause + "`");
  return *parts;
}

Value map_of(Run& run, const PartFacts& part) {
  Value value = run.heap().map();
  vsl::Map& map = value.map_for_write(run.heap());
  map.set("type", run.string(part.type));
  map.set("filename", run.string(part.filename));
  map.set("encoding", run.string(part.encoding));
  map.set("path", run.string(part.path));
  map.set("size", static_cast<std::int64_t>(part.octets));
  map.set("is_attachment", part.is_attachment);
  return value;
}

Result parts(Run& run, Arguments) {
  auto message = structure_at(run);
  if (!message) return pass_on(message);
  Value list = run.heap().array();
  for (const PartFacts& part : part_facts(**message)) list.array_for_write(run.heap()).push(map_of(run, part));
  return list;
}

Result text(Run& run, Arguments) {
  auto message = structure_at(run);
  if (!message) return pass_on(message);
  return run.string(part_text(**message, run.heap().limits().string_octets));
}

Result has_multipart(Run& run, Arguments) {
  auto message = structure_at(run);
  if (!message) return pass_on(message);
  return is_multipart(**message);
}

Result has_any_attachment(Run& run, Arguments) {
  auto message = structure_at(run);
  if (!message) return pass_on(message);
  for (const PartFacts& part : part_facts(**message))
    if (part.is_attachment) return true;
  return false;
}

// By file name.
Result has_attachment(Run& run, Arguments a) {
  auto message = structure_at(run);
  if (!message) return pass_on(message);
  auto pattern = vsl::regex_of(a[0]);
  if (!pattern) return pass_on(pattern);
  for (const PartFacts& part : part_facts(**message))
    if (part.is_attachment && (*pattern)->matches(part.filename)) return true;
  return false;
}

vsl::Expected<std::vector<std::string_view>> bodies_at(Run& run, const Value& name) {
  auto session = session_at(run, "header");
  if (!session) return pass_on(session);
  return (*session)->headers().bodies(name_argument(name));
}

Result addresses(Run& run, Arguments a) {
  auto bodies = bodies_at(run, a[0]);
  if (!bodies) return pass_on(bodies);
  Value list = run.heap().array();
  for (const NamedAddress& one : named_addresses(*bodies)) {
    Value entry = run.heap().map();
    entry.map_for_write(run.heap()).set("name", run.string(one.name));
    entry.map_for_write(run.heap()).set("address", run.string(one.address));
    list.array_for_write(run.heap()).push(std::move(entry));
  }
  return list;
}

Result decoded(Run& run, Arguments a) {
  auto bodies = bodies_at(run, a[0]);
  if (!bodies) return pass_on(bodies);
  return run.string(bodies->empty() ? std::string() : decoded_field(bodies->front()));
}

Result date(Run& run, Arguments) {
  auto bodies = bodies_at(run, Value::short_string("Date"));
  if (!bodies) return pass_on(bodies);
  const auto time = bodies->empty() ? std::nullopt : field_date(bodies->front());
  return time ? value_of(run.heap(), *time) : Value();
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr ApiRow kRows[] = {
    api<parts>("mime::parts", "", {}, kFrom, "array of all parts: #{type, filename, encoding, size, path, is_attachment}"),
    api<text>("mime::text", "", {}, kFrom, "the first text of the message that is no attachment, decoded"),
    api<has_multipart>("mime::is_multipart", "", {}, kFrom, "whether the message has several parts"),
    api<has_any_attachment>("mime::has_attachment", "", {}, kFrom, "whether a part is an attachment"),
    api<has_attachment>("mime::has_attachment", "", {Any}, kFrom, "whether the file name of an attachment matches a regex: mime::has_attachment(\"(?i)\\\\.exe$\")"),
    api<addresses>("header::addresses", "", {Any}, kEvery, "array of the mailboxes in all fields of this name: #{name, address}"),
    api<decoded>("header::decoded", "", {Any}, kEvery, "the first field of this name with its encoded words decoded"),
    api<date>("header::date", "", {}, kEvery, "the time in the Date field, or ()"),
};

}  // namespace

std::span<const ApiRow> mime_rows() { return kRows; }

}  // namespace rules
