// The message as rules see and change it (vsl.md 3.5, 5.4): octets that stay where they are, with a header over them. What rules do
// not change is never copied; what they change is written once, when they are through.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/result.h"
#include "lib/mail/message.h"
#include "vsl-filter/body/body.h"
#include "vsl-filter/body/body_edit.h"
#include "vsl-filter/transaction/header_list.h"

namespace rules {

class Message {
 public:
  [[nodiscard]] static base::Result<Message> open(base::Blob octets);

  [[nodiscard]] std::string_view octets() const { return view_->octets(); }  // as they came
  [[nodiscard]] HeaderList& header() { return header_; }
  [[nodiscard]] const HeaderList& header() const { return header_; }
  [[nodiscard]] bool is_changed() const { return header_.is_changed() || is_body_changed(); }
  [[nodiscard]] bool is_body_changed() const { return is_body_changed_ || (index_ != nullptr && index_->has_removals); }
  // Grows with each change: who remembers it knows later whether there was one.
  [[nodiscard]] std::uint64_t changes() const { return header_.changes() + body_changes_; }
  [[nodiscard]] std::uint64_t size() const;       // in octets, as it is now
  [[nodiscard]] std::uint64_t body_size() const;

  // What the message is now: the Blob of open() if nothing has changed.
  [[nodiscard]] base::Result<base::Blob> finish(const base::BlobWriter::Limits& limits) const;
  // The same as text with CRLF, whatever line ends it has.
  [[nodiscard]] base::Result<std::string> text() const;
  // The octets behind the header. Valid until the message changes.
  [[nodiscard]] base::Result<std::string_view> body();

  // To and From (3.5). Mailboxes are compared as mailboxes; names, comments and groups of the field stay as they are.
  // A To field that has nobody left is removed, one that is missing is made. Fault::Permanent: no address.
  [[nodiscard]] base::Result<void> add_recipient(std::string_view address);
  [[nodiscard]] base::Result<void> remove_recipient(std::string_view address);
  [[nodiscard]] base::Result<void> rewrite_recipient(std::string_view old_address, std::string_view new_address);
  [[nodiscard]] base::Result<void> rewrite_sender(std::string_view address);  // From becomes the bare address

  // Its MIME structure, by the header as it is now. Valid until the message changes. Fault::Permanent: there are more parts, or
  // header fields of parts, than are looked through.
  [[nodiscard]] base::Result<const mail::Message*> parts();
  // Takes out the part of that path, with all that is in it, and a multipart that has none left; the message's own is left with an
  // empty text. False: there is none. A path means what it meant when parts() was last called, so that several parts can go one
  // after the other.
  [[nodiscard]] base::Result<bool> remove_part(std::string_view path);
  // A change of the message that parts() shows.
  void apply(BodyEdit edit);

 private:
  struct Index {
    base::Blob blob;  // holds what `view` shows when it is not the message's own
    base::Blob::View view;
    mail::Message message;
    std::size_t body = 0;       // where the body begins in what is indexed
    std::uint64_t mime_changes = 0;
    std::vector<bool> removed;  // parts that remove_part() has taken out; empty: none
    bool has_removals = false;
  };

  [[nodiscard]] std::string header_text() const;  // with the empty line
  [[nodiscard]] Body body_now() const;
  [[nodiscard]] std::vector<Body::Splice> in_body(std::vector<Body::Splice> splices) const;
  [[nodiscard]] base::Result<void> make_index();
  [[nodiscard]] base::Result<void> check_limits() const;

  base::Blob blob_;
  std::unique_ptr<base::Blob::View> view_;
  HeaderList header_;
  Body body_;
  bool is_body_changed_ = false;
  std::uint64_t body_changes_ = 0;
  std::unique_ptr<Index> index_;
};

}  // namespace rules
