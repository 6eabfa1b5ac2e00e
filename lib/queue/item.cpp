#include "lib/queue/item.h"

#include <algorithm>
#include <cassert>

#include "lib/base/text.h"

namespace queue {
namespace {

namespace text = base::text;
using base::Fault;

constexpr std::string_view kFirstLine = "vsmtp-item 1";

// Eats lines from the front of what is there of an item.
class Lines {
 public:
  explicit Lines(std::string_view octets) : left_(octets), size_(octets.size()) {}

  // The next line without its LF; nullopt when its end is not there.
  std::optional<std::string_view> next() {
    const auto end = left_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return line;
  }
  [[nodiscard]] std::string_view left() const { return left_; }
  [[nodiscard]] std::uint64_t eaten() const { return size_ - left_.size(); }

 private:
  std::string_view left_;
  std::size_t size_;
};

// "NAME VALUE" -> VALUE.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (!text::consume(line, name) || !text::consume(line, " ")) return std::nullopt;
  return line;
}

// "NAME <ADDRESS>" -> ADDRESS. LF cannot be in a line; CR and NUL must not.
std::optional<std::string_view> address_of(std::string_view line, std::string_view name) {
  auto value = value_of(line, name);
  if (!value || value->size() < 2 || value->front() != '<' || value->back() != '>') return std::nullopt;
  const auto address = value->substr(1, value->size() - 2);
  if (!is_storable_address(address)) return std::nullopt;
  return address;
}

std::optional<std::uint64_t> number_of(std::string_view line, std::string_view name) {
  const auto value = value_of(line, name);
  if (!value) return std::nullopt;
  if (value->size() > 1 && value->front() == '0') return std::nullopt;  // one spelling for each number
  return text::parse_number<std::uint64_t>(*value);
}

class Parser {
 public:
  Parser(std::string_view octets, std::uint64_t item_octets) : lines_(octets), item_octets_(item_octets), is_whole_(octets.size() >= item_octets) {}

  base::Result<Item> parse(std::uint64_t& message_offset) {
    const auto first = lines_.next();
    if (first ? *first != kFirstLine : !kFirstLine.starts_with(lines_.left())) return not_an_item("expected: " + std::string(kFirstLine));
    if (!first) return ended();
    Item item;
    if (const auto read = identity(item); !read) return std::unexpected(read.error());
    std::uint64_t context_octets = 0;
    if (const auto read = envelope(item, context_octets); !read) return std::unexpected(read.error());
    return content(std::move(item), context_octets, message_offset);
  }

 private:
  base::Result<void> identity(Item& item) {
    auto line = lines_.next();
    if (!line) return ended();
    const auto id_text = value_of(*line, "id");
    const auto id = id_text ? Id::parse(*id_text) : std::nullopt;
    if (!id) return bad(*line, "id ID");
    item.id = *id;

    if (!(line = lines_.next())) return ended();
    const auto arrived_text = value_of(*line, "arrived");
    const auto arrived = arrived_text ? base::parse_rfc3339(*arrived_text) : std::nullopt;
    if (!arrived) return bad(*line, "arrived TIME");
    item.arrived = *arrived;
    return {};
  }

  // sender, recipients, and the line behind them.
  base::Result<void> envelope(Item& item, std::uint64_t& context_octets) {
    auto line = lines_.next();
    if (!line) return ended();
    const auto sender = address_of(*line, "sender");
    if (!sender) return bad(*line, "sender <ADDRESS>");
    item.envelope.reverse_path = *sender;

    for (;;) {
      if (!(line = lines_.next())) return ended();
      if (!line->starts_with("recipient ")) break;
      const auto recipient = address_of(*line, "recipient");
      if (!recipient) return bad(*line, "recipient <ADDRESS>");
      item.envelope.recipients.emplace_back(*recipient);
    }
    if (item.envelope.recipients.empty()) return bad(*line, "recipient <ADDRESS>");

    const auto octets = number_of(*line, "context");
    if (!octets || *octets == 0 || *octets > kMaxContextOctets) return bad(*line, "context OCTETS");
    context_octets = *octets;
    return {};
  }

  base::Result<Item> content(Item item, std::uint64_t context_octets, std::uint64_t& message_offset) {
    auto line = lines_.next();
    if (!line) return ended();
    const auto message_octets = number_of(*line, "message");
    if (!message_octets) return bad(*line, "message OCTETS");
    item.message_octets = *message_octets;
    if (!(line = lines_.next())) return ended();
    if (!line->empty()) return bad(*line, "an empty line");

    const std::uint64_t before_message = lines_.eaten() + context_octets;
    if (before_message > item_octets_) return not_an_item("cut short");
    const std::uint64_t found = item_octets_ - before_message;
    if (item.message_octets != found)
      return not_an_item((item.message_octets > found ? "cut short" : "longer than it says") + (": message of " + std::to_string(item.message_octets)) +
                         " octets, found " + std::to_string(found));
    if (lines_.left().size() < context_octets) return ended();
    const auto context = lines_.left().substr(0, context_octets);
    if (context.find('\n') != context.size() - 1) return not_an_item("expected: the context on one line");
    item.context = context.substr(0, context.size() - 1);
    message_offset = before_message;
    return item;
  }

  std::unexpected<base::Error> ended() const {
    if (is_whole_) return not_an_item("cut short");
    if (lines_.eaten() + lines_.left().size() >= kMaxItemHeaderOctets) return not_an_item("header of more than " + std::to_string(kMaxItemHeaderOctets) + " octets");
    return base::fail(Fault::Temporary, "more octets are needed");
  }
  static std::unexpected<base::Error> not_an_item(std::string why) { return base::fail(Fault::Permanent, "not a message of the spool: " + std::move(why)); }
  static std::unexpected<base::Error> bad(std::string_view line, std::string_view expected) {
    return not_an_item("'" + text::printable(line, 100) + "'; expected: " + std::string(expected));
  }

  Lines lines_;
  std::uint64_t item_octets_;
  bool is_whole_;
};

}  // namespace

bool is_storable_address(std::string_view address) { return address.find_first_of(std::string_view("\n\r\0", 3)) == std::string_view::npos; }

std::string one_line(std::string context) {
  std::ranges::replace_if(context, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return context;
}

std::string to_octets(const Item& item) {
  std::string out;
  std::size_t size = 200 + item.envelope.reverse_path.size() + item.context.size();
  for (const auto& recipient : item.envelope.recipients) size += recipient.size() + 14;
  out.reserve(size);

  const auto line = [&out](std::string_view name, std::string_view value) { out.append(name).append(" ").append(value).append("\n"); };
  const auto address_line = [&out](std::string_view name, std::string_view address) {
    assert(is_storable_address(address));
    out.append(name).append(" <").append(address).append(">\n");
  };
  assert(item.context.find('\n') == std::string::npos);
  out.append(kFirstLine).append("\n");
  line("id", item.id.text());
  line("arrived", base::to_rfc3339(item.arrived));
  address_line("sender", item.envelope.reverse_path);
  for (const auto& recipient : item.envelope.recipients) address_line("recipient", recipient);
  line("context", std::to_string(item.context.size() + 1));
  line("message", std::to_string(item.message_octets));
  out.append("\n").append(item.context).append("\n");
  return out;
}

base::Result<Item> parse_item(std::string_view octets, std::uint64_t item_octets, std::uint64_t& message_offset) {
  return Parser(octets.substr(0, std::min<std::uint64_t>(octets.size(), item_octets)), item_octets).parse(message_offset);
}

}  // namespace queue
