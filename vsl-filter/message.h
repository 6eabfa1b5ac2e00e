// The message as rules see and change it (vsl.md 3.5): octets that stay where they are, with a header over them. What rules do
// not change is never copied; what they change is written once, when they are through.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/blob.h"
#include "lib/base/result.h"
#include "lib/mail/message.h"
#include "vsl-filter/header_list.h"

namespace rules {

class Message {
 public:
  // `added`: the fields that rules made before there was a message; they go above its own.
  [[nodiscard]] static base::Result<Message> open(base::Blob octets, const HeaderList& added = {});

  [[nodiscard]] HeaderList& header() { return header_; }
  [[nodiscard]] const HeaderList& header() const { return header_; }
  [[nodiscard]] std::string_view body() const { return octets().substr(header_.body_offset()); }
  [[nodiscard]] bool is_changed() const { return header_.is_changed(); }

  // What the message is now: the Blob of open() if nothing has changed.
  [[nodiscard]] base::Result<base::Blob> finish(const base::BlobWriter::Limits& limits) const;
  // The same as text with CRLF, whatever line ends it has.
  [[nodiscard]] std::string text() const;

  // To and From (3.5). Mailboxes are compared as mailboxes; names, comments and groups of the field stay as they are.
  // A To field that has nobody left is removed, one that is missing is made. Fault::Permanent: no address.
  [[nodiscard]] base::Result<void> add_recipient(std::string_view address);
  [[nodiscard]] base::Result<void> remove_recipient(std::string_view address);
  [[nodiscard]] base::Result<void> rewrite_recipient(std::string_view old_address, std::string_view new_address);
  [[nodiscard]] base::Result<void> rewrite_sender(std::string_view address);  // From becomes the bare address

  // Its MIME structure, by the header as it is now. Valid until the header changes.
  [[nodiscard]] base::Result<const mail::Message*> parts();

 private:
  struct Index {
    base::Blob blob;  // holds what `view` shows when it is not the message's own
    base::Blob::View view;
    mail::Message message;
    std::uint64_t mime_changes = 0;
  };

  [[nodiscard]] std::string_view octets() const { return view_->octets(); }
  [[nodiscard]] std::string header_text() const;  // with the empty line

  base::Blob blob_;
  std::unique_ptr<base::Blob::View> view_;
  HeaderList header_;
  std::unique_ptr<Index> index_;
};

}  // namespace rules
