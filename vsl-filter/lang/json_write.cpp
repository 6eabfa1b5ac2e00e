#include <cmath>
#include <utility>

#include "lib/base/json_text.h"
#include "lib/base/utf8.h"
#include "vsl-filter/lang/json.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/text.h"

namespace vsl::json {

namespace {

class Writer {
 public:
  Writer(std::string& out, std::size_t indent, std::size_t most) : out_(out), indent_(indent), most_(most) {}

  bool value(const Value& value, int depth) {
    if (out_.size() > most_ || depth > kDeepest) return false;
    switch (value.tag()) {
      case Tag::Unit:
      case Tag::Absent: out_ += "null"; break;
      case Tag::Bool:
      case Tag::Int: append_text(out_, value); break;
      case Tag::Float:
        if (std::isfinite(value.as_float()))
          append_float(out_, value.as_float());
        else
          out_ += "null";
        break;
      case Tag::Array: return array(value.as_array(), depth);
      case Tag::Blob: return blob(value.as_blob());
      case Tag::Map: return map(value.as_map(), depth);
      case Tag::Cell: return this->value(value.as_cell().value, depth);
      case Tag::Short:
      case Tag::String: base::json::append_string(out_, value.as_text()); break;
      default: base::json::append_string(out_, text_of(value));
    }
    return out_.size() <= most_;
  }

 private:
  void line(int depth) {
    if (indent_ == 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(depth) * indent_, ' ');
  }

  bool array(const Array& array, int depth) {
    out_ += '[';
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out_ += ',';
      line(depth + 1);
      if (!value(array[i], depth + 1)) return false;
    }
    if (!array.empty()) line(depth);
    out_ += ']';
    return true;
  }

  bool map(const Map& map, int depth) {
    out_ += '{';
    bool is_first = true;
    for (const auto& [key, member] : map.entries()) {
      if (!std::exchange(is_first, false)) out_ += ',';
      line(depth + 1);
      base::json::append_string(out_, key.as_text());
      out_ += indent_ == 0 ? ":" : ": ";
      if (!value(member, depth + 1)) return false;
    }
    if (!map.empty()) line(depth);
    out_ += '}';
    return true;
  }

  bool blob(const Blob& blob) {
    out_ += '[';
    for (const std::uint8_t byte : blob.span()) {
      if (out_.back() != '[') out_ += ',';
      out_ += std::to_string(byte);
      if (out_.size() > most_) return false;
    }
    out_ += ']';
    return true;
  }

  std::string& out_;
  std::size_t indent_;
  std::size_t most_;
};

}  // namespace

bool write(std::string& out, const Value& value, std::size_t indent, std::size_t most_octets) {
  return Writer(out, indent, most_octets).value(value, 0);
}

}  // namespace vsl::json
