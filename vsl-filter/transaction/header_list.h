// A header as rules see and change it (vsl.md 3.5): the fields of a message, which stay where they are mapped, and those that
// rules made. Without a message it is what rules add before there is one (2.9).
//
// Names compare without regard to case. Every operation takes time by the fields of that name that it touches, not by the
// size of the header, so that a rule that loops over a header of 100,000 fields ends soon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace rules {

class HeaderList {
 public:
  HeaderList() = default;
  // The header at the front of `message`, whose octets must outlive the list.
  explicit HeaderList(std::string_view message);
  HeaderList(HeaderList&&) = default;
  HeaderList& operator=(HeaderList&&) = default;

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  // The first one, unfolded, without blanks in front; "" when there is none.
  [[nodiscard]] std::string get(std::string_view name) const;
  // All, unfolded, with the blank behind the colon: " 5".
  [[nodiscard]] std::vector<std::string> get_all(std::string_view name) const;
  // All fields as they stand, or those of a name, at most `limit`; folded, without their last line end.
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::vector<std::string> lines(std::string_view name, std::size_t limit = static_cast<std::size_t>(-1)) const;
  // Behind the colon, as they stand, in order; valid until the list changes.
  [[nodiscard]] std::vector<std::string_view> bodies(std::string_view name) const;

  // Names and values as field_text() wants them; else nothing has changed.
  [[nodiscard]] base::Result<void> append(std::string_view name, std::string_view value);
  [[nodiscard]] base::Result<void> prepend(std::string_view name, std::string_view value);
  // The first one says `value` from now on; without one, append.
  [[nodiscard]] base::Result<void> set(std::string_view name, std::string_view value);
  [[nodiscard]] base::Result<void> rename(std::string_view old_name, std::string_view new_name);  // all of them
  // The first one. False: there was none.
  bool remove(std::string_view name);

  struct Edit {
    enum class What : std::uint8_t { Keep, Replace, Remove } what = What::Keep;
    std::string body;  // all behind the colon, as it shall stand, folded, without the last line end: not looked at
  };
  // Asks about each field of that name, in order; its name stays as it is written.
  void edit(std::string_view name, const std::function<Edit(std::string_view body)>& editor);
  // Those of a name that came with the message, not what rules have added since. How many there were.
  std::size_t remove_that_came(std::string_view name, const std::function<bool(std::string_view body)>& is_meant);
  // Only the first; without one, `body` makes a field at the end.
  void replace_first(std::string_view name, std::string_view body);

  // Puts all fields of `added` above those that are here, in their order.
  void put_above(const HeaderList& added);
  [[nodiscard]] HeaderList copy() const;

  // Whether it is not what it was made from any more, and how often fields of MIME (Content-*, MIME-Version) were changed.
  [[nodiscard]] bool is_changed() const { return is_changed_; }
  [[nodiscard]] std::uint64_t mime_changes() const { return mime_changes_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }  // how often any field was
  // How it differs from that: fields without their last line end, each as often as it was added or removed. Empty, though it is
  // changed: the same fields stand in another order, or all is as it was.
  struct Difference {
    std::vector<std::string> added, removed;
    bool is_reordered = false;
  };
  [[nodiscard]] Difference difference() const;
  // The fields as they go into the message, without the empty line.
  void append_to(std::string& out) const;
  [[nodiscard]] std::string_view line_end() const { return line_end_; }

  // Of the message that the list was made from: where its body begins, and whether an empty line is in front of it.
  [[nodiscard]] std::size_t body_offset() const { return body_offset_; }
  [[nodiscard]] bool has_separator() const { return has_separator_; }

 private:
  struct Field;
  struct Chain {  // fields of one name, in their order
    std::string name;  // as the first one wrote it
    Field* first = nullptr;
    Field* last = nullptr;
    std::size_t count = 0;
  };
  struct Field {
    std::string_view octets;           // with the line end, if it has one
    std::string_view before;           // ... as the message had it; empty: rules added this one
    std::unique_ptr<std::string> own;  // what `octets` shows, of a field that rules wrote
    std::uint32_t name_octets = 0;
    std::size_t body = 0;
    std::int64_t rank = 0;  // grows down the header
    bool is_removed = false;
    Field* next = nullptr;  // of the same name
    Field* previous = nullptr;

    [[nodiscard]] std::string_view name() const { return octets.substr(0, name_octets); }
    [[nodiscard]] std::string_view value() const;  // behind the colon, without the last line end
  };
  struct Index {
    std::deque<Chain> chains;
    std::vector<std::uint32_t> places;  // by hash, a power of two of them: 0 or 1 + a position in `chains`

    // Of the chain of this name, or the free one where it belongs.
    [[nodiscard]] std::size_t place_of(std::string_view name) const;
    Chain& chain(std::string_view name);
    void spread();
  };
  // Calls see(field) for those that are not removed, from the top, until it says false.
  template <class See>
  void each(const See& see) const;
  // The same for those of a name. A few fields are looked through sooner than an index of them is made.
  template <class See>
  void each_of(std::string_view name, const See& see) const;
  [[nodiscard]] Index& index() const;
  // Null: no field has this name.
  [[nodiscard]] Chain* find(std::string_view name) const;
  Field& add_below();
  Field& add_above();
  void write(Field& field, std::string text);  // with CRLF
  void set_own(Field& field, std::string text);
  static void link_last(Chain& chain, Field& field);
  static void link_first(Chain& chain, Field& field);
  void take_out(Chain& chain, Field& field);
  void replace_body(Field& field, std::string_view body);
  void append_written(std::string_view name, std::string text);
  void note_change(std::string_view name);

  // From the top; none of them moves when others come.
  std::list<Field> above_;
  std::vector<Field> read_;  // of the message
  std::list<Field> below_;
  std::int64_t first_rank_ = 0, next_rank_ = 0;
  std::string_view preface_;  // what stands in front of the first field and is none
  std::size_t size_ = 0;      // without those removed
  std::string_view line_end_ = "\r\n";
  std::size_t body_offset_ = 0;
  bool has_separator_ = false;
  bool is_changed_ = false;
  std::uint64_t mime_changes_ = 0, changes_ = 0;
  mutable std::unique_ptr<Index> index_;  // made when first needed: most messages are asked for a field or two
};

}  // namespace rules
