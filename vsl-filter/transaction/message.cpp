#include "vsl-filter/transaction/message.h"

#include "vsl-filter/transaction/addresses.h"
#include "vsl-filter/transaction/mailbox_edit.h"
#include "vsl-filter/transaction/mime_parts.h"

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

base::Result<Message> Message::open(base::Blob octets) {
  Message message;
  message.blob_ = std::move(octets);
  auto view = message.blob_.view();
  if (!view) return std::unexpected(view.error());
  message.view_ = std::make_unique<base::Blob::View>(std::move(*view));
  message.header_ = HeaderList(message.octets());
  const auto header_octets = message.header_.body_offset();
  message.body_ = Body({message.blob_, header_octets, message.blob_.size() - header_octets});
  return message;
}

std::string Message::header_text() const {
  std::string text;
  text.reserve(header_.body_offset() + 1024);
  header_.append_to(text);
  // Without an empty line there may be no header at all, or no body: what follows now must not become part of the header.
  const bool is_headless = header_.size() > 0 && header_.body_offset() == 0 && !octets().empty();
  const bool is_bodiless = is_body_changed() && body_size() > 0;
  if (header_.has_separator() || is_headless || is_bodiless) text += header_.line_end();
  return text;
}

// ---- as a whole ------------------------------------------------------------------------------------------------------------

Body Message::body_now() const {
  Body body = body_;
  if (index_ == nullptr || !index_->has_removals) return body;
  body.apply(in_body(removal_of(index_->message, index_->removed, header_.line_end()).splices));
  return body;
}

// By offset in the body, not in what was indexed.
std::vector<Body::Splice> Message::in_body(std::vector<Body::Splice> splices) const {
  std::erase_if(splices, [this](const Body::Splice& splice) { return splice.offset < index_->body; });
  for (auto& splice : splices) splice.offset -= index_->body;
  return splices;
}

std::uint64_t Message::body_size() const { return body_now().size(); }
std::uint64_t Message::size() const { return is_changed() ? header_text().size() + body_size() : blob_.size(); }

base::Result<base::Blob> Message::finish(const base::BlobWriter::Limits& limits) const {
  if (!is_changed()) return blob_;
  base::BlobWriter writer(limits);
  if (const auto written = writer.append(header_text()); !written) return std::unexpected(written.error());
  if (const auto written = body_now().write_to(writer); !written) return std::unexpected(written.error());
  return writer.finish();
}

base::Result<std::string> Message::text() const {
  const auto blob = finish({});
  if (!blob) return std::unexpected(blob.error());
  const auto view = blob->view();
  if (!view) return std::unexpected(view.error());
  std::string text;
  text.reserve(view->octets().size() + 1024);
  append_with_crlf(text, view->octets());
  return text;
}

base::Result<std::string_view> Message::body() {
  if (!is_body_changed()) return octets().substr(header_.body_offset());
  if (const auto made = make_index(); !made) return std::unexpected(made.error());
  return index_->message.octets().substr(index_->body);
}

// ---- mailboxes -------------------------------------------------------------------------------------------------------------

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

// ---- parts -----------------------------------------------------------------------------------------------------------------

// Of what the message is now. What has changed is written once more for it, into a file if it is large, and the rest of the run
// goes on with that.
base::Result<void> Message::make_index() {
  if (index_ != nullptr && index_->mime_changes == header_.mime_changes() && !index_->has_removals) return {};
  auto index = std::make_unique<Index>();
  index->mime_changes = header_.mime_changes();
  std::string_view indexed = octets();
  const bool is_written = header_.mime_changes() > 0 || is_body_changed();
  if (is_written) {
    auto now = finish({});
    if (!now) return std::unexpected(now.error());
    index->blob = std::move(*now);
    auto view = index->blob.view();
    if (!view) return std::unexpected(view.error());
    index->view = std::move(*view);
    indexed = index->view.octets();
  }
  mail::Message::Limits limits;
  limits.fields += static_cast<std::uint32_t>(header_.size());  // those of the message are held anyway: the limit is for its parts
  index->message = mail::Message::index(indexed, limits);
  index->body = is_written ? header_text().size() : header_.body_offset();
  if (is_body_changed()) {
    body_ = Body({index->blob, index->body, index->blob.size() - index->body});
    is_body_changed_ = true;
  }
  index_ = std::move(index);
  return {};
}

// Of what lies behind these limits nothing is known, so that nothing can be said or done about all parts. A part that is too deep
// is known, only not what is in it.
base::Result<void> Message::check_limits() const {
  constexpr mail::Message::Limits kLimits;
  switch (index_->message.limit()) {
    case mail::Message::Limit::Parts: return base::fail(base::Fault::Permanent, "the message has more than " + std::to_string(kLimits.parts) + " parts");
    case mail::Message::Limit::Fields: return base::fail(base::Fault::Permanent, "the parts of the message have more than " + std::to_string(kLimits.fields) + " header fields");
    case mail::Message::Limit::Depth:
    case mail::Message::Limit::None: break;
  }
  return {};
}

base::Result<const mail::Message*> Message::parts() {
  if (const auto made = make_index(); !made) return std::unexpected(made.error());
  if (const auto within = check_limits(); !within) return std::unexpected(within.error());
  return &index_->message;
}

base::Result<bool> Message::remove_part(std::string_view path) {
  if (index_ == nullptr || index_->mime_changes != header_.mime_changes())
    if (const auto made = make_index(); !made) return std::unexpected(made.error());
  if (const auto within = check_limits(); !within) return std::unexpected(within.error());
  const mail::Message& message = index_->message;
  auto found = part_at(message, path);
  if (found == mail::kNoPart) return false;
  // What is the whole of a message inside of this one goes with it.
  while (message.parts()[found].parent != mail::kNoPart && message.parts()[message.parts()[found].parent].kind == mail::Part::Kind::Message) found = message.parts()[found].parent;
  if (message.parts()[found].parent == mail::kNoPart) {
    if (message.parts()[found].kind == mail::Part::Kind::Multipart) return false;  // all of it: no part
    apply(emptying_of(message));
    return true;
  }
  index_->removed.resize(message.parts().size());
  for (auto part = found; part != mail::kNoPart; part = message.parts()[part].parent)
    if (index_->removed[part]) return false;
  index_->removed[found] = true;
  ++body_changes_;
  index_->has_removals = true;
  return true;
}

void Message::apply(BodyEdit edit) {
  const auto splices = in_body(std::move(edit.splices));
  if (!splices.empty()) {
    body_.apply(splices);
    is_body_changed_ = true;
    ++body_changes_;
  }
  for (const auto& name : edit.removed_fields)
    while (header_.remove(name)) {}
  for (const auto& [name, body] : edit.fields) header_.replace_first(name, body);
  if (!splices.empty()) index_.reset();
}

}  // namespace rules
