#include "vsl-filter/api/object_file.h"

#include <memory>
#include <utility>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "vsl-filter/api/line_list.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/program.h"
#include "vsl-filter/services/named_by_rules.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr std::size_t kMostOctets = 256 << 20;

const std::string& error_text(const std::string& text) { return text; }
const std::string& error_text(const vsl::Failure& failure) { return failure.message(); }

// The first one is the failure, the others are told with it.
class BadLines {
 public:
  [[nodiscard]] bool are_enough() const { return failure_ && failure_->further().size() + 1 >= vsl::Diagnostics::kMostKept; }
  void add(std::string message) {
    if (failure_) {
      failure_->add_further(std::move(message));
    } else {
      failure_.emplace(vsl::ErrorKind::Api, std::move(message));
    }
  }
  [[nodiscard]] vsl::Expected<void> result() && {
    if (failure_) return std::unexpected(*std::move(failure_));
    return {};
  }

 private:
  std::optional<vsl::Failure> failure_;
};

std::size_t column_of(std::string_view line, std::string_view value) { return 1 + static_cast<std::size_t>(value.data() - line.data()); }

// string objects are plain strings; those of regexes are the language's.
Result element_of(Run& run, std::string_view type, std::string_view text) {
  if (type == "string" || type == "str" || type == "val") return run.string(text);
  if (type == "regex") return make_regex(run, text);
  auto object = make_object(type, text);
  if (!object) return vsl::fail_api(std::move(object.error()));
  return value_of(run.heap(), *std::move(object));
}

// Calls `add` with each line that says something.
vsl::Expected<void> for_each_line(Run& run, const std::string& file, std::string_view content, const auto& add) {
  std::size_t number = 0, count = 0;
  BadLines bad;
  for (std::string_view rest = content; !rest.empty() && !bad.are_enough();) {
    auto [line, behind] = base::text::split_once(rest, '\n');
    rest = behind;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto value = base::text::trim(line);
    if (value.empty() || value.starts_with('#')) continue;
    if (const auto added = add(value); !added)
      bad.add(file + ":" + std::to_string(number) + ":" + std::to_string(column_of(line, value)) + ": " + error_text(added.error()));
    if (!run.heap().may_hold_elements(++count)) return vsl::fail_api(file + ": too many lines for a list");
  }
  return std::move(bad).result();
}

Result list_of_objects(Run& run, const std::string& file, std::string_view type, std::string_view content) {
  Value elements = run.heap().array();
  auto added = for_each_line(run, file, content, [&](std::string_view line) -> vsl::Expected<void> {
    auto element = element_of(run, type, line);
    if (!element) return std::unexpected(std::move(element.error()));
    elements.array_for_write(run.heap()).push(*std::move(element));
    return {};
  });
  if (!added) return std::unexpected(std::move(added.error()));
  return value_of(run.heap(), make_list("file", std::move(elements)));
}

Result list_of_lines(Run& run, const std::string& file, std::string_view type, std::string content) {
  auto list = std::make_unique<LineList>(std::move(content), type);
  constexpr std::size_t kUsualLine = 20;  // as a guess; more lines only take longer
  list->reserve(list->content().size() / kUsualLine);
  auto added = for_each_line(run, file, list->content(), [&](std::string_view line) { return list->add(line); });
  if (!added) return std::unexpected(std::move(added.error()));
  list->finish();
  return value_of(run.heap(), make_list_of_lines(std::move(list)));
}

bool is_type_of_lines(std::string_view type) { return type != "code" && type != "group"; }

}  // namespace

namespace {
std::string path_beside_script(const Run& run, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  const auto& sources = run.program().sources();
  const vsl::Span where = run.where();
  if (!sources.has(where.source)) return std::string(path);
  const std::string& script = sources.at(where.source).name();
  const auto slash = script.rfind('/');
  return (slash == std::string::npos ? std::string() : script.substr(0, slash + 1)) + std::string(path);
}
}  // namespace

std::string beside_script(const Run& run, std::string_view path) {
  auto file = path_beside_script(run, path);
  note_read(file);
  return file;
}

Result read_object_file(Run& run, std::string_view path, std::string_view type) {
  if (!is_type_of_lines(type)) return vsl::fail_api("Improper object type 'file:" + std::string(type) + "'.");
  const std::string file = beside_script(run, path);
  auto content = base::read_file(file, kMostOctets);
  if (!content) return vsl::fail_api(content.error().cause);
  return LineList::holds(type) ? list_of_lines(run, file, type, *std::move(content)) : list_of_objects(run, file, type, *content);
}

}  // namespace rules
