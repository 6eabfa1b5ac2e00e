#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "vsl-filter/lang/json.h"
#include "vsl-filter/lang/object.h"

namespace vsl::json {

namespace {

class Reader {
 public:
  Reader(Heap& heap, std::string_view text) : heap_(heap), all_(text), rest_(text) {}

  std::optional<Value> document() {
    auto value = element(0);
    if (!value) return value;
    skip_white();
    if (!rest_.empty()) return fault("nothing more expected here");
    return value;
  }
  Fault take_fault() { return std::move(fault_); }

 private:
  std::nullopt_t fault(std::string what) {
    const std::string_view before = all_.substr(0, all_.size() - rest_.size());
    const auto line_start = before.rfind('\n');
    fault_.what = std::move(what);
    fault_.line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    fault_.column = before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
    return std::nullopt;
  }
  std::nullopt_t too_large(std::string_view what) {
    fault_.is_too_large = true;
    return fault(std::string(what) + " too large");
  }

  void skip_white() {
    const auto at = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }

  // ws value; RFC 8259 section 3
  std::optional<Value> element(int depth) {
    skip_white();
    if (rest_.empty()) return fault("a value expected, not the end");
    if (heap_.is_over()) return too_large("Memory");
    if (depth > kDeepest) return fault("arrays and objects nested too deeply");
    switch (rest_.front()) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': return string();
      default: break;
    }
    if (base::text::consume(rest_, "true")) return Value(true);
    if (base::text::consume(rest_, "false")) return Value(false);
    if (base::text::consume(rest_, "null")) return Value();
    if (rest_.front() == '-' || base::text::is_digit(rest_.front())) return number();
    return fault("a value expected");
  }

  // section 4: { "name": value, ... }
  std::optional<Value> object(int depth) {
    rest_.remove_prefix(1);
    Value result = heap_.map();
    Map& map = result.map_for_write(heap_);
    skip_white();
    if (base::text::consume(rest_, "}")) return result;
    for (;;) {
      skip_white();
      if (!rest_.starts_with('"')) return fault("a name in quotes expected");
      auto name = string();
      if (!name) return name;
      skip_white();
      if (!base::text::consume(rest_, ":")) return fault("':' expected");
      auto value = element(depth + 1);
      if (!value) return value;
      if (!heap_.may_hold_elements(map.size() + 1)) return too_large("Map");
      map.set(*name, std::move(*value));
      skip_white();
      if (base::text::consume(rest_, "}")) return result;
      if (!base::text::consume(rest_, ",")) return fault("',' or '}' expected");
    }
  }

  // section 5
  std::optional<Value> array(int depth) {
    rest_.remove_prefix(1);
    Value result = heap_.array();
    Array& array = result.array_for_write(heap_);
    skip_white();
    if (base::text::consume(rest_, "]")) return result;
    for (;;) {
      auto value = element(depth + 1);
      if (!value) return value;
      if (!heap_.may_hold_elements(array.size() + 1)) return too_large("Array");
      array.push(std::move(*value));
      skip_white();
      if (base::text::consume(rest_, "]")) return result;
      if (!base::text::consume(rest_, ",")) return fault("',' or ']' expected");
    }
  }

  // section 6: [ "-" ] int [ "." 1*DIGIT ] [ e [ "-" / "+" ] 1*DIGIT ]; int = "0" / ( digit1-9 *DIGIT )
  std::optional<Value> number() {
    const auto digits_from = [this](std::size_t i) {
      while (i < rest_.size() && base::text::is_digit(rest_[i])) ++i;
      return i;
    };
    const std::size_t start = rest_.front() == '-' ? 1 : 0;
    std::size_t end = digits_from(start);
    if (end == start) return fault("a digit expected after '-'");
    if (end > start + 1 && rest_[start] == '0') return fault("a number must not begin with 0");
    bool is_float = false;
    if (end < rest_.size() && rest_[end] == '.') {
      const std::size_t fraction = end + 1;
      end = digits_from(fraction);
      if (end == fraction) return fault("a digit expected after '.'");
      is_float = true;
    }
    if (end < rest_.size() && (rest_[end] == 'e' || rest_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (exponent < rest_.size() && (rest_[exponent] == '+' || rest_[exponent] == '-')) ++exponent;
      end = digits_from(exponent);
      if (end == exponent) return fault("a digit expected in the exponent");
      is_float = true;
    }
    const std::string_view text = rest_.substr(0, end);
    std::optional<Value> result;
    if (const auto whole = is_float ? std::nullopt : base::text::parse_number<std::int64_t>(text))
      result = Value(*whole);
    else
      result = Value(nearest_float(text));
    if (std::isinf(result->as_number())) return fault("a number out of range");
    rest_.remove_prefix(end);
    return result;
  }

  // Infinite when it is too large; 0 when it is too small to be told from it.
  static double nearest_float(std::string_view text) {
    double value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc()) return value;
    return std::strtod(std::string(text).c_str(), nullptr);
  }

  // section 7
  std::optional<Value> string() {
    rest_.remove_prefix(1);
    const auto plain = rest_.find_first_of("\"\\");
    if (plain != std::string_view::npos && rest_[plain] == '"') {
      const std::string_view text = rest_.substr(0, plain);
      if (!check(text)) return std::nullopt;
      rest_.remove_prefix(plain + 1);
      return made(text);
    }
    std::string text;
    for (;;) {
      const auto stop = rest_.find_first_of("\"\\");
      if (stop == std::string_view::npos) return fault("a string without its closing quote");
      if (!check(rest_.substr(0, stop))) return std::nullopt;
      text += rest_.substr(0, stop);
      const bool is_end = rest_[stop] == '"';
      rest_.remove_prefix(stop + 1);
      if (is_end) return made(text);
      if (!escape(text)) return std::nullopt;
    }
  }

  std::optional<Value> made(std::string_view text) {
    if (!heap_.may_hold_string(text.size())) return too_large("String");
    return heap_.string(text);
  }

  // Neither control characters nor anything that is not UTF-8.
  bool check(std::string_view text) {
    while (!text.empty()) {
      const auto octets = base::utf8::sequence_octets(text);
      if (octets == 0) return static_cast<void>(fault("a string that is not UTF-8")), false;
      if (static_cast<unsigned char>(text.front()) < 0x20) return static_cast<void>(fault("a control character in a string")), false;
      text.remove_prefix(octets);
    }
    return true;
  }

  bool escape(std::string& text) {
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) return static_cast<void>(fault("a string without its closing quote")), false;
    const auto known = kNames.find(rest_.front());
    if (known != std::string_view::npos) {
      text += kMeanings[known];
      rest_.remove_prefix(1);
      return true;
    }
    const auto first = unit();
    if (!first) return false;
    char32_t code_point = *first;
    if (code_point >= 0xD800 && code_point <= 0xDFFF) {
      if (code_point > 0xDBFF || !base::text::consume(rest_, "\\")) return static_cast<void>(fault("half of a surrogate pair")), false;
      const auto second = unit();
      if (!second) return false;
      if (*second < 0xDC00 || *second > 0xDFFF) return static_cast<void>(fault("half of a surrogate pair")), false;
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (*second - 0xDC00);
    }
    base::utf8::append(text, code_point);
    return true;
  }

  // uXXXX
  std::optional<char32_t> unit() {
    std::uint32_t value = 0;
    if (!rest_.starts_with('u')) return fault("an unknown escape in a string");
    const char* digits = rest_.data() + 1;
    if (rest_.size() < 5 || std::from_chars(digits, digits + 4, value, 16).ptr != digits + 4)
      return fault("four hexadecimal digits expected after \\u");
    rest_.remove_prefix(5);
    return static_cast<char32_t>(value);
  }

  Heap& heap_;
  std::string_view all_;
  std::string_view rest_;
  Fault fault_;
};

}  // namespace

std::string Fault::message() const {
  if (is_too_large) return what;
  return "Error parsing JSON, line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + what;
}

std::expected<Value, Fault> read(Heap& heap, std::string_view text) {
  Reader reader(heap, text);
  auto value = reader.document();
  if (!value) return std::unexpected(reader.take_fault());
  return std::move(*value);
}

}  // namespace vsl::json
