// A message that rules change: whatever the octets and whatever name and value a rule has, one call makes one field more, the
// body stays as it is, and what is written is read as the same header again.
#include <cstdint>
#include <cstdlib>

#include "vsl-filter/body/footer.h"
#include "vsl-filter/body/replacement.h"
#include "vsl-filter/transaction/mailbox_edit.h"
#include "vsl-filter/transaction/message.h"
#include "vsl-filter/transaction/mime_parts.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string_view take(std::string_view& rest) {
  const auto size = rest.empty() ? 0 : static_cast<unsigned char>(rest.front()) % 64;
  if (!rest.empty()) rest.remove_prefix(1);
  const auto taken = rest.substr(0, size);
  rest.remove_prefix(taken.size());
  return taken;
}

// Parts taken out, a footer, another text: what is written is what is read again.
void change_body(std::string_view octets, std::string_view wanted, std::string_view put) {
  auto message = rules::Message::open(base::Blob::of_octets(std::string(octets)));
  require(message.has_value());
  const auto listed = message->parts();
  require(listed.has_value());
  const auto paths = rules::part_facts(**listed);
  for (std::size_t i = 0; i < paths.size() && i < 8; i += 1 + wanted.size() % 3) (void)message->remove_part(paths[i].path);
  require(*message->parts() != nullptr);
  if (auto edit = rules::footer_edit(**message->parts(), {std::string(put), {}}, message->header().line_end(), 4096)) message->apply(std::move(*edit));
  const rules::Rewrite rewrite = [&](std::string_view text, const rules::Sink& sink) -> base::Result<std::uint64_t> {
    const auto at = wanted.empty() ? std::string_view::npos : text.find(wanted);
    if (at == std::string_view::npos) return 0;
    for (const auto piece : {text.substr(0, at), put, text.substr(at + wanted.size())})
      if (const auto done = sink(piece); !done) return std::unexpected(done.error());
    return 1;
  };
  auto replaced = rules::replace_in_texts(**message->parts(), rewrite, message->header().line_end(), 4096);
  if (replaced && replaced->count > 0) message->apply(std::move(replaced->edit));
  const auto blob = message->finish({});
  require(blob.has_value());
  require(blob->size() == message->size());
  const auto view = blob->view();
  require(view.has_value());
  const auto body = message->body();
  require(body.has_value() && view->octets().ends_with(*body));
  require(body->size() == message->body_size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto name = take(rest), value = take(rest), other = take(rest);
  auto message = rules::Message::open(base::Blob::of_octets(std::string(rest)));
  require(message.has_value());
  rules::HeaderList& header = message->header();
  const auto fields = header.size();
  const std::string body(*message->body());
  (void)header.get(name);
  if (!header.append(name, value)) {
    require(!message->is_changed());
  } else {
    require(header.size() == fields + 1);
    require(header.prepend(name, value).has_value());
    (void)header.set(name, other);
    (void)header.rename(name, other);
    require(header.size() == fields + 2);
    const auto blob = message->finish({});
    require(blob.has_value());
    auto again = rules::Message::open(*blob);
    require(again && again->header().size() == fields + 2 && *again->body() == body);
    require(again->header().lines() == header.lines());
    require(header.remove(name) || header.remove(other));
    require(header.size() == fields + 1);
  }
  change_body(rest, name, value);
  // A list without a mailbox stays without it.
  const auto edit = rules::remove_mailbox(rest, "a@b.example");
  require(edit.changes > 0 || edit.body == rest);
  require(rules::remove_mailbox(edit.body, "a@b.example").changes == 0);
  return 0;
}
