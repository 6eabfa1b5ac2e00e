// What rules write: the message and the context, below APPDIR (vsl.md 3.7).
#include "vsl-filter/api/app_files.h"

#include "vsl-filter/api/needs.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/values.h"
#include "vsl-filter/transaction/context_json.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Result written(const base::Result<void>& result, std::string_view what, const std::string& directory, const std::string& name) {
  if (result) return Value();
  return vsl::fail_api("failed to " + std::string(what) + " email at " + directory + "/" + name + ": " + result.error().cause);
}

// The message as it is now; before there is one, the fields that rules have added.
Result write(Run& run, Arguments a) {
  auto transaction = transaction_at(run, Stage::Mail, "message_id");
  if (!transaction) return pass_on(transaction);
  const std::string directory = name_argument(a[0]), name = (*transaction)->message_id + ".eml";
  const AppFiles files(scene_of(run).site.app_directory);
  if (!(*transaction)->message) {
    std::string fields;
    (*transaction)->headers.append_to(fields);
    return written(files.write(directory, name, fields), "write", directory, name);
  }
  const base::BlobWriter::Limits limits;
  const auto message = (*transaction)->message->finish(limits);
  if (!message) return fail_with(message.error());
  return written(files.write(directory, name, *message), "write", directory, name);
}

Result dump_as(Run& run, Arguments a, bool with_message) {
  auto transaction = transaction_at(run, Stage::Mail, "message_id");
  if (!transaction) return pass_on(transaction);
  const std::string directory = name_argument(a[0]), name = (*transaction)->message_id + ".json";
  std::string message;
  ContextForm form{.is_pretty = true};
  if (with_message && (*transaction)->message) {
    if (const auto octets = (*transaction)->message->size(); !run.heap().may_hold_string(octets))
      return vsl::fail(vsl::ErrorKind::DataTooLarge, "String too large: a message of " + std::to_string(octets) + " octets");
    auto text = (*transaction)->message->text();
    if (!text) return fail_with(text.error());
    message = std::move(*text);
    form.message = message;
  }
  const AppFiles files(scene_of(run).site.app_directory);
  return written(files.write(directory, name, to_context(*scene_of(run).session, form)), "dump", directory, name);
}

Result dump(Run& run, Arguments a) { return dump_as(run, a, false); }
Result dump_all(Run& run, Arguments a) { return dump_as(run, a, true); }

Result to_json(Run& run, Arguments) {
  auto session = session_at(run, "ctx");
  if (!session) return pass_on(session);
  return run.string(to_context(**session, {}));
}

Result to_json_of(Run& run, Arguments) { return to_json(run, {}); }

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Mail);
constexpr ApiRow kRows[] = {
    api<write>("write", "fs::write", {Any}, kFrom, "writes the message to APPDIR/DIRECTORY/MESSAGE-ID.eml", kWaits | kWrites),
    api<dump>("dump", "fs::dump", {Any}, kFrom, "writes the context to APPDIR/DIRECTORY/MESSAGE-ID.json", kWaits | kWrites),
    api<dump_all>("dump_all", "fs::dump_all", {Any}, kFrom, "writes the context with the message in it to APPDIR/DIRECTORY/MESSAGE-ID.json", kWaits | kWrites),
    api<to_json>("ctx::to_json", "", {}, kEvery, "the context as JSON, as dump() writes it", kNoHandle),
    api<to_json_of>("to_json", "", {kContextClass}, kEvery, "the context as JSON: ctx().to_json()", kNoHandle),
};

}  // namespace

std::span<const ApiRow> file_rows() { return kRows; }

}  // namespace rules
