#include "vsl-filter/message.h"

#include "vsl-filter/addresses.h"
#include "vsl-filter/mailbox_edit.h"

namespace rules {
namespace {

constexpr std::string_view kTo = "To";

HeaderList::Edit edit_of(MailboxEdit edited) {
  using What = HeaderList::Edit::What;
  if (edited.changes == 0) return {};
  return {edited.is_empty ? What::Remove : What::Replace, std::move(edited.body)};
}

void append_with_crlf(std::string& out, std::string_view octets) {
  for (std::size_t at = 0; at < octets.size();) {
    const auto feed = octets.find('\n', at);
    if (feed == std::string_view::npos) {
      out += octets.substr(at);
      return;
    }
    const bool has_return = feed > at && octets[feed - 1] == '\r';
    out.append(octets.substr(at, feed - at)).append(has_return ? "\n" : "\r\n");
    at = feed + 1;
  }
}

}  // namespace

base::Result<Message> Message::open(base::Blob octets, const HeaderList& added) {
  Message message;
  message.blob_ = std::move(octets);
  auto view = message.blob_.view();
  if (!view) return std::unexpected(view.error());
  message.view_ = std::make_unique<base::Blob::View>(std::move(*view));
  message.header_ = HeaderList(message.octets());
  if (added.size() > 0) message.header_.put_above(added);
  return message;
}

std::string Message::header_text() const {
  std::string text;
  text.reserve(header_.body_offset() + 1024);
  header_.append_to(text);
  // Without an empty line there may be no header at all: then what follows must not become part of the new one.
  if (header_.has_separator() || (header_.size() > 0 && header_.body_offset() == 0 && !octets().empty())) text += header_.line_end();
  return text;
}

base::Result<base::Blob> Message::finish(const base::BlobWriter::Limits& limits) const {
  if (!is_changed()) return blob_;
  base::BlobWriter writer(limits);
  if (const auto written = writer.append(header_text()); !written) return std::unexpected(written.error());
  if (const auto written = writer.append_range(blob_, header_.body_offset(), body().size()); !written) return std::unexpected(written.error());
  return writer.finish();
}

std::string Message::text() const {
  std::string text;
  text.reserve(octets().size() + 1024);
  append_with_crlf(text, is_changed() ? header_text() : octets().substr(0, header_.body_offset()));
  append_with_crlf(text, body());
  return text;
}

base::Result<void> Message::add_recipient(std::string_view address) {
  if (const auto checked = check_address(address); !checked) return checked;
  const auto bodies = header_.bodies(kTo);
  header_.replace_first(kTo, append_mailbox(bodies.empty() ? std::string_view() : bodies.front(), address, kTo.size() + 1, header_.line_end()));
  return {};
}

base::Result<void> Message::remove_recipient(std::string_view address) {
  if (const auto checked = check_address(address); !checked) return checked;
  header_.edit(kTo, [&](std::string_view body) { return edit_of(remove_mailbox(body, address)); });
  return {};
}

base::Result<void> Message::rewrite_recipient(std::string_view old_address, std::string_view new_address) {
  for (const auto address : {old_address, new_address})
    if (const auto checked = check_address(address); !checked) return checked;
  if (!header_.has(kTo)) return add_recipient(new_address);
  header_.edit(kTo, [&](std::string_view body) { return edit_of(replace_mailbox(body, old_address, new_address)); });
  return {};
}

base::Result<void> Message::rewrite_sender(std::string_view address) {
  if (const auto checked = check_address(address); !checked) return checked;
  header_.replace_first("From", " " + std::string(address));
  return {};
}

base::Result<const mail::Message*> Message::parts() {
  if (index_ != nullptr && index_->mime_changes == header_.mime_changes()) return &index_->message;
  auto index = std::make_unique<Index>();
  index->mime_changes = header_.mime_changes();
  std::string_view indexed = octets();
  if (header_.mime_changes() > 0) {
    auto now = finish({});
    if (!now) return std::unexpected(now.error());
    index->blob = std::move(*now);
    auto view = index->blob.view();
    if (!view) return std::unexpected(view.error());
    index->view = std::move(*view);
    indexed = index->view.octets();
  }
  index->message = mail::Message::index(indexed);
  index_ = std::move(index);
  return &index_->message;
}

}  // namespace rules
