#include "vsl-filter/lang/std.h"

#include <algorithm>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/object.h"

namespace vsl {

void add_standard_functions(Natives& natives) {
  using namespace standard;
  for (const auto& rows : {core_rows(), number_rows(), math_rows(), bit_rows(), string_rows(), string_part_rows(), string_edit_rows(),
                           array_rows(), array_callback_rows(), array_index_rows(), sort_rows(), map_rows(), range_rows(), blob_rows(), blob_part_rows(),
                           blob_number_rows(), regex_rows(), encoding_rows(), url_rows()})
    natives.add(rows);
}

namespace standard {

std::unexpected<Failure> too_large(std::string_view what) { return fail(ErrorKind::DataTooLarge, std::string(what) + " too large"); }

Expected<void> charge(Run& run, std::size_t elements) {
  if (!run.charge(elements)) return fail(ErrorKind::TooManyOperations, "Too many operations");
  return {};
}

std::unexpected<Failure> pass_on(Failure& failure) { return std::unexpected(std::move(failure)); }

Expected<void> check_octets(Run& run, std::size_t octets) {
  if (!run.heap().may_hold_string(octets)) return too_large("String");
  return {};
}

Expected<void> check_elements(Run& run, std::size_t count) {
  if (!run.heap().may_hold_elements(count)) return too_large("Array");
  return {};
}

Result string_result(Run& run, std::string_view text) {
  if (auto fits = check_octets(run, text.size()); !fits) return pass_on(fits.error());
  return run.string(text);
}

std::optional<std::size_t> position_in(std::int64_t index, std::size_t size) {
  if (index < 0) index += static_cast<std::int64_t>(size);
  if (index < 0 || static_cast<std::size_t>(index) >= size) return std::nullopt;
  return static_cast<std::size_t>(index);
}

std::size_t clipped(std::int64_t index, std::size_t size) {
  const auto end = static_cast<std::int64_t>(size);
  if (index < 0) index = index < -end ? 0 : index + end;
  return static_cast<std::size_t>(std::min(index, end));
}

Part part_from(std::int64_t start, std::size_t size) {
  const std::size_t first = clipped(start, size);
  return {first, size - first};
}

Part part_of(std::int64_t start, std::int64_t count, std::size_t size) {
  const Part rest = part_from(start, size);
  if (count <= 0) return {rest.first, 0};
  return {rest.first, std::min(rest.count, static_cast<std::size_t>(count))};
}

Part part_of(const Range& range, std::size_t size) {
  const std::size_t first = clipped(range.first, size);
  std::size_t last = clipped(range.last, size);
  if (range.is_inclusive && last < size) ++last;
  return {first, std::max(first, last) - first};
}

Text::Text(const Value& value) {
  if (value.is_string()) {
    view_ = value.as_text();
    return;
  }
  std::string octets;  // short enough to need no memory
  base::utf8::append(octets, value.as_char());
  std::ranges::copy(octets, room_);
  view_ = {room_, octets.size()};
}

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::size_t front_octets(std::string_view text) {
  std::size_t octets = 1;
  while (octets < text.size() && is_continuation(text[octets])) ++octets;
  return std::min(octets, text.size());
}

char32_t front_code_point(std::string_view text, std::size_t& octets) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  octets = front_octets(text);
  if (base::utf8::sequence_octets(text) != octets) return 0xFFFD;
  switch (octets) {
    case 1: return at(0);
    case 2: return static_cast<char32_t>((at(0) & 0x1F) << 6 | (at(1) & 0x3F));
    case 3: return static_cast<char32_t>((at(0) & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F));
    case 4: return static_cast<char32_t>((at(0) & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F));
    default: return 0xFFFD;
  }
}

std::size_t octets_of(std::string_view text, std::size_t code_points) {
  std::size_t octets = 0;
  for (; code_points > 0 && octets < text.size(); --code_points) octets += front_octets(text.substr(octets));
  return octets;
}

std::string_view part_text(const Value& string, Part part) {
  const std::string_view text = string.as_text();
  if (code_points(string) == text.size()) return text.substr(part.first, part.count);
  const std::string_view rest = text.substr(octets_of(text, part.first));
  return rest.substr(0, octets_of(rest, part.count));
}

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

Result ElementCallback::operator()(const Value& element, std::size_t position) const {
  if (takes_ == 2) return run_.call_back(function_, {element, count_of(position)});
  if (takes_ != 0) return run_.call_back(function_, {element});
  Value self = element;
  return run_.call_back_on(self, function_, {});
}

Result ElementCallback::on(Value& element, std::size_t position) const {
  const Value arguments[] = {element, count_of(position)};
  const std::size_t count = takes_ == 0 ? 0 : takes_ == 2 ? 2 : 1;
  return run_.call_back_on(element, function_, {arguments, count});
}

Expected<bool> ElementCallback::test(const Value& element, std::size_t position) const { return bool_of((*this)(element, position)); }

Expected<bool> bool_of(Result answer) {
  if (!answer) return pass_on(answer.error());
  if (!answer->is_bool()) return fail(ErrorKind::DataType, "Expecting a boolean expression, not a " + std::string(type_name(*answer)));
  return answer->as_bool();
}

}  // namespace standard
}  // namespace vsl
