#include <algorithm>

#include "lib/base/text.h"
#include "vsl-filter/body/body_edit.h"

namespace rules {
namespace {

using mail::kNoPart;
using mail::Part;

class Removal {
 public:
  Removal(const mail::Message& message, std::vector<bool> removed, std::string_view line_end)
      : message_(message), removed_(std::move(removed)), line_end_(line_end), editor_(message, line_end) {}

  BodyEdit run() {
    remove_empty_multiparts();
    for (const Part& part : message_.parts())
      if (part.kind == Part::Kind::Multipart) cut_children(part);
    return std::move(editor_).finish();
  }

 private:
  [[nodiscard]] const Part& at(std::uint32_t index) const { return message_.parts()[index]; }

  // Parts come behind those they are in, so the last one is looked at first.
  void remove_empty_multiparts() {
    for (auto index = static_cast<std::uint32_t>(message_.parts().size()); index-- > 1;) {
      const Part& part = at(index);
      if (removed_[index] || part.first_child == kNoPart) continue;
      bool is_empty = true;
      for (auto child = part.first_child; child != kNoPart; child = at(child).next_sibling) is_empty = is_empty && removed_[child];
      if (is_empty) removed_[index] = true;
    }
  }

  // Of what is cut as a whole nothing more is cut.
  [[nodiscard]] bool is_gone(const Part& part) const {
    for (const Part* each = &part; each->parent != kNoPart; each = &at(each->parent))
      if (removed_[static_cast<std::size_t>(each - message_.parts().data())]) return true;
    return false;
  }

  // What follows a part, up to the next one, is the delimiter in front of that one: a part that is kept keeps it, unless it
  // becomes the last one, which the delimiter of the end follows.
  void cut_children(const Part& multipart) {
    if (multipart.first_child == kNoPart || is_gone(multipart)) return;
    std::uint32_t last = kNoPart, last_kept = kNoPart;
    std::size_t from = at(multipart.first_child).offset;  // behind what is kept
    bool is_cut = false;
    for (auto child = multipart.first_child; child != kNoPart; child = at(child).next_sibling) {
      last = child;
      is_cut = is_cut || removed_[child];
      if (removed_[child]) continue;
      cut(from, at(child).offset);
      last_kept = child;
      from = at(child).next_sibling == kNoPart ? at(child).end : at(at(child).next_sibling).offset;
    }
    if (!is_cut || last_kept == last) return;
    if (last_kept == kNoPart) {
      cut(from, at(last).end);
      editor_.insert(at(last).end, "Content-Type: text/plain" + std::string(line_end_) + std::string(line_end_) + std::string(editor_.line_end_at(at(last).end)));
      return;
    }
    cut(at(last_kept).end, at(last).end);
    editor_.insert(at(last).end, std::string(editor_.line_end_at(at(last).end)));
  }

  void cut(std::size_t from, std::size_t to) {
    if (from < to) editor_.splice(from, to - from, {});
  }

  const mail::Message& message_;
  std::vector<bool> removed_;
  std::string_view line_end_;
  PartEditor editor_;
};

}  // namespace

BodyEdit removal_of(const mail::Message& message, const std::vector<bool>& removed, std::string_view line_end) { return Removal(message, removed, line_end).run(); }

BodyEdit emptying_of(const mail::Message& message) {
  BodyEdit edit;
  const Part& root = message.root();
  edit.splices.push_back({root.body, message.octets().size() - root.body, {}});
  for (const auto& field : message.fields(root))
    if (base::text::starts_with_ignoring_case(field.name, "Content-")) edit.removed_fields.emplace_back(field.name);
  return edit;
}

}  // namespace rules
