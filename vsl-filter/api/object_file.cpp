#include "vsl-filter/api/object_file.h"

#include <utility>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/program.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr std::size_t kMostOctets = 256 << 20;

// string objects are plain strings; those of regexes are the language's.
Result element_of(Run& run, std::string_view type, std::string_view text) {
  if (type == "string" || type == "str" || type == "val") return run.string(text);
  if (type == "regex") return make_regex(run, text);
  auto object = make_object(type, text);
  if (!object) return vsl::fail_api(std::move(object.error()));
  return value_of(run.heap(), *std::move(object));
}

bool is_type_of_lines(std::string_view type) { return type != "code" && type != "group"; }

}  // namespace

std::string beside_script(const Run& run, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  const auto& sources = run.program().sources();
  const vsl::Span where = run.where();
  if (!sources.has(where.source)) return std::string(path);
  const std::string& script = sources.at(where.source).name();
  const auto slash = script.rfind('/');
  return (slash == std::string::npos ? std::string() : script.substr(0, slash + 1)) + std::string(path);
}

Result read_object_file(Run& run, std::string_view path, std::string_view type) {
  if (!is_type_of_lines(type)) return vsl::fail_api("Improper object type 'file:" + std::string(type) + "'.");
  const std::string file = beside_script(run, path);
  const auto content = base::read_file(file, kMostOctets);
  if (!content) return vsl::fail_api(content.error().cause);

  Value elements = run.heap().array();
  std::size_t number = 0;
  for (std::string_view rest = *content; !rest.empty();) {
    auto [line, behind] = base::text::split_once(rest, '\n');
    rest = behind;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = base::text::trim(line);
    if (line.empty() || line.starts_with('#')) continue;
    auto element = element_of(run, type, line);
    if (!element) return vsl::fail_api(file + ":" + std::to_string(number) + ": " + element.error().message());
    vsl::Array& array = elements.array_for_write(run.heap());
    if (!run.heap().may_hold_elements(array.size() + 1)) return vsl::fail_api(file + ": too many lines for a list");
    array.push(*std::move(element));
  }
  return value_of(run.heap(), make_list("file", std::move(elements)));
}

}  // namespace rules
