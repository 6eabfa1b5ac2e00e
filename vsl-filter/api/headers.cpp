// Fields of the header (vsl.md 3.5): of the message, and before there is one those that rules have added (2.9).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Value array_of(Run& run, std::span<const std::string> texts) {
  Value array = run.heap().array(texts.size());
  vsl::Array& elements = array.array_for_write(run.heap());
  for (const std::string& text : texts) elements.push(run.string(text));
  return array;
}

vsl::Expected<HeaderList*> headers_at(Run& run) {
  auto session = session_at(run, "header");
  if (!session) return pass_on(session);
  return &(*session)->headers();
}

Result has_header(Run& run, Arguments a) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return (*headers)->has(name_argument(a[0]));
}

Result get_header(Run& run, Arguments a) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return run.string((*headers)->get(name_argument(a[0])));
}

Result get_headers(Run& run, Arguments a) {
  auto message = message_at(run, "get_headers");
  if (!message) return pass_on(message);
  if (a[1].as_int() < 0) return vsl::fail_api("the count of get_headers must not be negative: " + std::to_string(a[1].as_int()));
  return array_of(run, (*message)->header().lines(name_argument(a[0]), static_cast<std::size_t>(a[1].as_int())));
}

Result all_lines(Run& run, Arguments) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return array_of(run, (*headers)->lines());
}

Result all_values(Run& run, Arguments a) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return array_of(run, (*headers)->get_all(name_argument(a[0])));
}

Result untouched(Run& run, Arguments a) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return array_of(run, (*headers)->lines(name_argument(a[0])));
}

Result count_header(Run& run, Arguments a) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return static_cast<std::int64_t>((*headers)->count(name_argument(a[0])));
}

using Change = base::Result<void> (HeaderList::*)(std::string_view, std::string_view);
template <Change kChange>
Result change(Run& run, Arguments a) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return done(((*headers)->*kChange)(name_argument(a[0]), name_argument(a[1])));
}

Result remove_header(Run& run, Arguments a) {
  auto headers = headers_at(run);
  if (!headers) return pass_on(headers);
  return (*headers)->remove(name_argument(a[0]));
}

using enum vsl::Type;
constexpr ApiRow kRows[] = {
    api<has_header>("has_header", "msg::has_header", {Any}, kEvery, "whether there is a field of this name"),
    api<get_header>("get_header", "msg::get_header", {Any}, kEvery, "the first field of this name, unfolded; \"\" if there is none"),
    api<get_headers>("get_headers", "", {Any, Int}, from(Stage::Preq), "up to so many fields of this name, as \"Name:value\""),
    api<all_lines>("get_all_headers", "msg::get_all_headers headers", {}, kEvery, "all fields as they stand"),
    api<all_values>("get_all_headers", "msg::get_all_headers headers", {Any}, kEvery, "all values of this name, with the blank behind the colon"),
    api<untouched>("get_header_untouched", "msg::get_header_untouched", {Any}, kEvery, "all fields of this name as they stand: \"Name:value\""),
    api<count_header>("count_header", "msg::count_header", {Any}, kEvery, "number of fields of this name"),
    api<change<&HeaderList::append>>("append_header", "msg::append_header", {Any, Any}, kEvery, "adds a field below the last one"),
    api<change<&HeaderList::prepend>>("prepend_header", "msg::prepend_header", {Any, Any}, kEvery, "adds a field above the first one"),
    api<change<&HeaderList::set>>("set_header", "msg::set_header", {Any, Any}, kEvery, "gives the first field of this name a value, or appends it"),
    api<change<&HeaderList::rename>>("rename_header", "msg::rename_header", {Any, Any}, kEvery, "gives all fields of a name another name"),
    api<remove_header>("remove_header", "msg::remove_header msg::rm_header", {Any}, kEvery, "removes the first field of this name; false if there was none"),
};

}  // namespace

std::span<const ApiRow> header_rows() { return kRows; }

}  // namespace rules
