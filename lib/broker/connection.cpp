#include "lib/broker/connection.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lib/base/text.h"

namespace broker {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr amqp_channel_t kMail = 1;      // what is published and consumed
constexpr amqp_channel_t kInquiries = 2; // what may fail, which closes the channel
constexpr int kFrameOctets = 131072;
constexpr std::size_t kFrameOverhead = 8;
constexpr std::size_t kFramesPerPump = 5000;
constexpr std::int64_t kMostDeliveries = 1'000'000'000;  // RabbitMQ 4 would drop a message after 20

// RabbitMQ's reply codes.
constexpr int kAccessRefused = 403, kNotFound = 404, kResourceLocked = 405, kPreconditionFailed = 406, kNotAllowed = 530;

amqp_bytes_t bytes_of(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
std::string_view view_of(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

timeval timeval_of(std::chrono::milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000), static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

Fault fault_of(int reply_code) {
  switch (reply_code) {
    case kAccessRefused:
    case kNotAllowed:
    case kPreconditionFailed: return Fault::Config;
    default: return Fault::Temporary;
  }
}

std::unexpected<Error> refused(int code, amqp_bytes_t text) {
  return std::unexpected(Error{fault_of(code), "the broker says: " + base::text::printable(view_of(text), 300), code});
}

std::unexpected<Error> failed(int status) {
  return std::unexpected(Error{Fault::Temporary, std::string("connection to the broker: ") + amqp_error_string2(status), status == AMQP_STATUS_TIMEOUT ? ETIMEDOUT : ECONNRESET});
}

Result<void> check(const amqp_rpc_reply_t& reply) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL: return {};
    case AMQP_RESPONSE_LIBRARY_EXCEPTION: return failed(reply.library_error);
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const auto* close = static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
        return refused(close->reply_code, close->reply_text);
      }
      if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const auto* close = static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
        return refused(close->reply_code, close->reply_text);
      }
      return base::fail(Fault::Temporary, "the broker closed the connection");
    case AMQP_RESPONSE_NONE: break;
  }
  return base::fail(Fault::Temporary, "the broker closed the connection");
}

Result<void> check(int status) {
  if (status == AMQP_STATUS_OK) return {};
  return failed(status);
}

bool is_channel_closed(const amqp_rpc_reply_t& reply) {
  return reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD;
}

amqp_table_entry_t entry(const char* key, std::string_view value) {
  amqp_table_entry_t row{};
  row.key = amqp_cstring_bytes(key);
  row.value.kind = AMQP_FIELD_KIND_UTF8;
  row.value.value.bytes = bytes_of(value);
  return row;
}
amqp_table_entry_t entry(const char* key, std::int64_t value) {
  amqp_table_entry_t row{};
  row.key = amqp_cstring_bytes(key);
  row.value.kind = AMQP_FIELD_KIND_I64;
  row.value.value.i64 = value;
  return row;
}
amqp_table_t table_of(std::vector<amqp_table_entry_t>& rows) { return {static_cast<int>(rows.size()), rows.data()}; }

std::optional<std::int64_t> number_in(const amqp_table_t& headers, std::string_view key) {
  for (int i = 0; i < headers.num_entries; ++i) {
    const auto& row = headers.entries[i];
    if (view_of(row.key) != key) continue;
    switch (row.value.kind) {
      case AMQP_FIELD_KIND_I64: return row.value.value.i64;
      case AMQP_FIELD_KIND_I32: return row.value.value.i32;
      case AMQP_FIELD_KIND_I16: return row.value.value.i16;
      case AMQP_FIELD_KIND_I8: return row.value.value.i8;
      default: return std::nullopt;
    }
  }
  return std::nullopt;
}

std::int64_t milliseconds_of(base::WallTime time) { return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count(); }

constexpr std::int64_t kLongestWait = std::int64_t{1} << 42;  // milliseconds; more than a century

// The content that follows a method: its header, then its body in pieces.
struct Content {
  enum class Kind { Delivery, Return, Got };
  Kind kind = Kind::Delivery;
  Incoming incoming{0, false, {}, Parcel{}};
  std::string why;  // of a Return
  bool has_header = false;
  std::uint64_t expected = 0;
  std::optional<std::uint64_t> item_octets;
  std::uint32_t attempt = 0;
  std::optional<base::WallTime> due;
  std::optional<std::chrono::milliseconds> wait;
  std::uint64_t correlation = 0;
  base::BlobWriter::Limits limits;
  base::BlobWriter body{limits};
  Result<void> written;

  [[nodiscard]] bool is_whole() const { return has_header && body_octets >= expected; }
  std::uint64_t body_octets = 0;

  void take_header(const amqp_frame_t& frame) {
    has_header = true;
    expected = frame.payload.properties.body_size;
    const auto* properties = static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
    if ((properties->_flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
      const auto& headers = properties->headers;
      if (const auto octets = number_in(headers, kItemHeader); octets && *octets >= 0) item_octets = static_cast<std::uint64_t>(*octets);
      if (const auto count = number_in(headers, kAttemptHeader)) attempt = static_cast<std::uint32_t>(std::clamp<std::int64_t>(*count, 0, UINT32_MAX));
      if (const auto time = number_in(headers, kDueHeader)) due = base::WallTime(std::chrono::milliseconds(*time));
      if (const auto time = number_in(headers, kWaitHeader)) wait = std::chrono::milliseconds(std::clamp<std::int64_t>(*time, 0, kLongestWait));
    }
    if ((properties->_flags & AMQP_BASIC_CORRELATION_ID_FLAG) != 0)
      correlation = base::text::parse_number<std::uint64_t>(view_of(properties->correlation_id)).value_or(0);
  }

  void take_body(std::string_view octets) {
    body_octets += octets.size();
    if (written) written = body.append(octets);
  }

  Incoming finish() {
    if (!written) {
      incoming.parcel = std::unexpected(Error{Fault::Temporary, written.error().cause, written.error().error_number});
    } else {
      incoming.parcel = unwrap(body.finish(), item_octets);
    }
    if (incoming.parcel) {
      incoming.parcel->attempt = attempt;
      incoming.parcel->due = due;
      incoming.parcel->wait = wait;
    }
    return std::move(incoming);
  }
};

}  // namespace

struct Connection::Internal {
  amqp_connection_state_t state = nullptr;
  Settings settings;
  std::string peer;
  bool is_broken = false;
  std::uint64_t published = 0;
  std::unique_ptr<Content> content;  // that is coming in
  std::string frame;                 // being filled
  std::string blocked;               // why the broker takes nothing

  ~Internal() {
    if (state != nullptr) amqp_destroy_connection(state);
  }

  Result<void> connect(const Host& host, const Address& address) {
    peer = host.name + ":" + std::to_string(host.port);
    state = amqp_new_connection();
    amqp_socket_t* socket = state == nullptr ? nullptr : amqp_tcp_socket_new(state);
    if (socket == nullptr) return base::fail(Fault::Temporary, "no memory");
    timeval limit = timeval_of(settings.timeout);
    amqp_set_handshake_timeout(state, &limit);
    amqp_set_rpc_timeout(state, &limit);
    if (const auto opened = check(amqp_socket_open_noblock(socket, host.name.c_str(), host.port, &limit)); !opened) return opened;
    // A broker without room reads nothing more: then the connection ends, rather than us waiting.
    const unsigned patience = static_cast<unsigned>(settings.timeout.count());
    (void)::setsockopt(amqp_get_sockfd(state), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    if (const auto let_in = log_in(address); !let_in) return let_in;
    for (const auto channel : {kMail, kInquiries})
      if (const auto opened = open_channel(channel); !opened) return opened;
    return {};
  }

  Result<void> log_in(const Address& address) {
    std::vector<amqp_table_entry_t> capabilities;
    for (const char* name : {"connection.blocked", "authentication_failure_close", "consumer_cancel_notify"}) {
      amqp_table_entry_t row{};
      row.key = amqp_cstring_bytes(name);
      row.value.kind = AMQP_FIELD_KIND_BOOLEAN;
      row.value.value.boolean = 1;
      capabilities.push_back(row);
    }
    amqp_table_entry_t nested{};
    nested.key = amqp_cstring_bytes("capabilities");
    nested.value.kind = AMQP_FIELD_KIND_TABLE;
    nested.value.value.table = table_of(capabilities);
    std::vector<amqp_table_entry_t> properties{entry("connection_name", settings.name), nested};
    const amqp_table_t table = table_of(properties);
    return check(amqp_login_with_properties(state, address.vhost.c_str(), 0, kFrameOctets, static_cast<int>(settings.heartbeat_seconds), &table, AMQP_SASL_METHOD_PLAIN,
                                            address.user.c_str(), address.password.c_str()));
  }

  Result<void> open_channel(amqp_channel_t channel) {
    amqp_channel_open(state, channel);
    return check(amqp_get_rpc_reply(state));
  }

  // After an exception of channel 2, which nothing else was on.
  Result<void> end_inquiry(const amqp_rpc_reply_t& reply) {
    const auto result = check(reply);
    if (is_channel_closed(reply)) {
      amqp_channel_close_ok_t ok{};
      auto again = check(amqp_send_method(state, kInquiries, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok));
      if (again) again = open_channel(kInquiries);
      if (!again) return broken(again);
    } else if (!result) {
      return broken(result);
    }
    amqp_maybe_release_buffers_on_channel(state, kInquiries);
    return result;
  }

  Result<void> broken(Result<void> result) {
    if (!result) is_broken = true;
    return result;
  }

  Result<void> send_frame(amqp_frame_t& out) {
    out.channel = kMail;
    return broken(check(amqp_send_frame(state, &out)));
  }

  Result<void> send_header(const std::string& id, const Parcel& parcel, std::uint64_t item_octets, std::uint64_t body_octets) {
    std::vector<amqp_table_entry_t> headers{entry(kItemHeader, static_cast<std::int64_t>(item_octets)), entry(kAttemptHeader, static_cast<std::int64_t>(parcel.attempt))};
    if (parcel.due) {
      headers.push_back(entry(kDueHeader, milliseconds_of(*parcel.due)));
      headers.push_back(entry(kWaitHeader, std::max<std::int64_t>(0, milliseconds_of(*parcel.due) - milliseconds_of(base::wall_now()))));
    }
    const std::string correlation = std::to_string(published + 1);
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG |
                        AMQP_BASIC_CORRELATION_ID_FLAG;
    properties.content_type = amqp_cstring_bytes("application/x-vsmtp-item");
    properties.headers = table_of(headers);
    properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
    properties.message_id = bytes_of(id);
    properties.correlation_id = bytes_of(correlation);
    properties.timestamp = static_cast<std::uint64_t>(milliseconds_of(parcel.item.arrived) / 1000);
    amqp_frame_t out{};
    out.frame_type = AMQP_FRAME_HEADER;
    out.payload.properties.class_id = AMQP_BASIC_CLASS;
    out.payload.properties.body_size = body_octets;
    out.payload.properties.decoded = &properties;
    return send_frame(out);
  }

  Result<void> send_pieces(std::span<const std::string_view> pieces) {
    const std::size_t most = static_cast<std::size_t>(amqp_get_frame_max(state)) - kFrameOverhead;
    frame.clear();
    const auto flush = [&]() -> Result<void> {
      if (frame.empty()) return {};
      amqp_frame_t out{};
      out.frame_type = AMQP_FRAME_BODY;
      out.payload.body_fragment = bytes_of(frame);
      const auto sent = send_frame(out);
      frame.clear();
      return sent;
    };
    for (std::string_view piece : pieces) {
      while (!piece.empty()) {
        const auto take = std::min(piece.size(), most - frame.size());
        frame.append(piece.substr(0, take));
        piece.remove_prefix(take);
        if (frame.size() < most) continue;
        if (const auto sent = flush(); !sent) return sent;
      }
    }
    return flush();
  }

  // ---- what comes in ---------------------------------------------------------------------------------------------------

  void begin(Content::Kind kind) {
    content = std::make_unique<Content>();
    content->kind = kind;
  }

  Result<void> take_method(const amqp_frame_t& in, Listener& listener) {
    switch (in.payload.method.id) {
      case AMQP_BASIC_ACK_METHOD: {
        const auto* ack = static_cast<const amqp_basic_ack_t*>(in.payload.method.decoded);
        listener.on_confirmed(ack->delivery_tag, ack->multiple != 0, true);
        return {};
      }
      case AMQP_BASIC_NACK_METHOD: {
        const auto* nack = static_cast<const amqp_basic_nack_t*>(in.payload.method.decoded);
        listener.on_confirmed(nack->delivery_tag, nack->multiple != 0, false);
        return {};
      }
      case AMQP_BASIC_DELIVER_METHOD: {
        const auto* deliver = static_cast<const amqp_basic_deliver_t*>(in.payload.method.decoded);
        begin(Content::Kind::Delivery);
        content->incoming.tag = deliver->delivery_tag;
        content->incoming.is_redelivered = deliver->redelivered != 0;
        content->incoming.queue = view_of(deliver->consumer_tag);
        return {};
      }
      case AMQP_BASIC_RETURN_METHOD: {
        const auto* returned = static_cast<const amqp_basic_return_t*>(in.payload.method.decoded);
        begin(Content::Kind::Return);
        content->why = "queue " + std::string(view_of(returned->routing_key)) + ": " + std::string(view_of(returned->reply_text));
        return {};
      }
      case AMQP_CONNECTION_BLOCKED_METHOD: {
        const auto* says = static_cast<const amqp_connection_blocked_t*>(in.payload.method.decoded);
        listener.on_blocked("the broker takes nothing: " + base::text::printable(view_of(says->reason), 200));
        return {};
      }
      case AMQP_CONNECTION_UNBLOCKED_METHOD:
      case AMQP_BASIC_CANCEL_OK_METHOD: return {};
      case AMQP_BASIC_CANCEL_METHOD: return base::fail(Fault::Temporary, "the broker took a queue away");
      case AMQP_CHANNEL_CLOSE_METHOD: {
        const auto* close = static_cast<const amqp_channel_close_t*>(in.payload.method.decoded);
        return refused(close->reply_code, close->reply_text);
      }
      case AMQP_CONNECTION_CLOSE_METHOD: {
        const auto* close = static_cast<const amqp_connection_close_t*>(in.payload.method.decoded);
        return refused(close->reply_code, close->reply_text);
      }
      default: return {};
    }
  }

  void end_content(Listener& listener) {
    const auto whole = std::move(content);
    if (whole->kind == Content::Kind::Return) {
      listener.on_returned(whole->correlation, std::move(whole->why));
    } else {
      listener.on_arrived(whole->finish());
    }
  }

  Result<void> take(const amqp_frame_t& in, Listener& listener) {
    if (in.frame_type == AMQP_FRAME_METHOD) return take_method(in, listener);
    if (!content) return base::fail(Fault::Temporary, "the broker sends content that belongs to nothing");
    if (in.frame_type == AMQP_FRAME_HEADER) content->take_header(in);
    if (in.frame_type == AMQP_FRAME_BODY) content->take_body(view_of(in.payload.body_fragment));
    if (content->is_whole()) end_content(listener);
    return {};
  }
};

Connection::Connection(std::unique_ptr<Internal> internal) : internal_(std::move(internal)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const Address& address, const Settings& settings, std::size_t first) {
  Error last{Fault::Config, "no host"};
  std::string causes;
  for (std::size_t i = 0; i < address.hosts.size(); ++i) {
    auto internal = std::make_unique<Internal>();
    internal->settings = settings;
    const auto connected = internal->connect(address.hosts[(first + i) % address.hosts.size()], address);
    if (connected) return Connection(std::move(internal));
    last = connected.error();
    causes += (causes.empty() ? "" : "; ") + internal->peer + ": " + last.cause;
  }
  last.cause = "broker: " + causes;
  return std::unexpected(std::move(last));
}

void Connection::close() {
  if (internal_ && !internal_->is_broken) (void)amqp_connection_close(internal_->state, AMQP_REPLY_SUCCESS);
  internal_.reset();
}

const std::string& Connection::peer() const { return internal_->peer; }
int Connection::fd() const { return amqp_get_sockfd(internal_->state); }
std::chrono::milliseconds Connection::timeout() const { return internal_->settings.timeout; }

Result<void> Connection::declare(const QueueSpec& queue) {
  std::vector<amqp_table_entry_t> arguments{entry("x-queue-type", "quorum"), entry("x-delivery-limit", kMostDeliveries)};
  if (queue.ttl_milliseconds) arguments.push_back(entry("x-message-ttl", static_cast<std::int64_t>(*queue.ttl_milliseconds)));
  if (!queue.dead_letter_queue.empty()) {
    arguments.push_back(entry("x-dead-letter-exchange", ""));
    arguments.push_back(entry("x-dead-letter-routing-key", queue.dead_letter_queue));
    arguments.push_back(entry("x-dead-letter-strategy", "at-least-once"));
    arguments.push_back(entry("x-overflow", "reject-publish"));  // without it the strategy is at-most-once
  }
  amqp_queue_declare(internal_->state, kInquiries, bytes_of(queue.name), 0, 1, 0, 0, table_of(arguments));
  const auto declared = internal_->end_inquiry(amqp_get_rpc_reply(internal_->state));
  if (!declared) return base::fail_within("queue " + queue.name, declared.error());
  return {};
}

Result<std::optional<std::uint64_t>> Connection::count(const std::string& queue) {
  const auto* counted = amqp_queue_declare(internal_->state, kInquiries, bytes_of(queue), 1, 1, 0, 0, amqp_empty_table);
  const std::uint64_t messages = counted == nullptr ? 0 : counted->message_count;
  const auto asked = internal_->end_inquiry(amqp_get_rpc_reply(internal_->state));
  if (asked) return messages;
  if (asked.error().error_number == kNotFound) return std::nullopt;
  return std::unexpected(asked.error());
}

// An exclusive queue: only one connection can have it, and it goes with the connection.
Result<bool> Connection::take_turn(const std::string& name) {
  amqp_queue_declare(internal_->state, kInquiries, bytes_of(name), 0, 0, 1, 0, amqp_empty_table);
  const auto taken = internal_->end_inquiry(amqp_get_rpc_reply(internal_->state));
  if (taken) return true;
  if (taken.error().error_number == kResourceLocked) return false;
  return std::unexpected(taken.error());
}

Result<bool> Connection::is_anyones_turn(const std::string& name) {
  const auto counted = count(name);
  if (counted) return counted->has_value();
  if (counted.error().error_number == kResourceLocked) return true;
  return std::unexpected(counted.error());
}

Result<void> Connection::end_turn(const std::string& name) {
  amqp_queue_delete(internal_->state, kInquiries, bytes_of(name), 0, 0);
  return internal_->end_inquiry(amqp_get_rpc_reply(internal_->state));
}

Result<void> Connection::select_confirms() {
  amqp_confirm_select(internal_->state, kMail);
  return internal_->broken(check(amqp_get_rpc_reply(internal_->state)));
}

Result<std::uint64_t> Connection::publish(const std::string& queue, const Parcel& parcel) {
  const auto view = parcel.message.view();
  if (!view) return std::unexpected(view.error());
  const auto wrapping = wrap(parcel);
  amqp_basic_publish_t method{};
  method.routing_key = bytes_of(queue);
  method.mandatory = 1;
  auto sent = internal_->broken(check(amqp_send_method(internal_->state, kMail, AMQP_BASIC_PUBLISH_METHOD, &method)));
  if (sent) sent = internal_->send_header(parcel.item.id.string(), parcel, wrapping.front.size() + parcel.message.size(), octets_of(parcel, wrapping));
  if (sent) sent = internal_->send_pieces(std::array{std::string_view(wrapping.front), view->octets(), std::string_view(wrapping.back)});
  if (!sent) return std::unexpected(sent.error());
  return ++internal_->published;
}

Result<void> Connection::consume(const std::string& queue, std::uint16_t prefetch, std::chrono::milliseconds patience) {
  amqp_basic_qos(internal_->state, kMail, 0, prefetch, 0);
  if (const auto limited = internal_->broken(check(amqp_get_rpc_reply(internal_->state))); !limited) return limited;
  std::vector<amqp_table_entry_t> arguments{entry("x-consumer-timeout", static_cast<std::int64_t>(patience.count()))};
  amqp_basic_consume(internal_->state, kMail, bytes_of(queue), bytes_of(queue), 0, 0, 0, table_of(arguments));
  return internal_->broken(check(amqp_get_rpc_reply(internal_->state)));
}

Result<void> Connection::stop_consuming(const std::string& queue) {
  amqp_basic_cancel_t method{bytes_of(queue), 1};  // no answer is wanted: messages may still be on their way
  return internal_->broken(check(amqp_send_method(internal_->state, kMail, AMQP_BASIC_CANCEL_METHOD, &method)));
}

namespace {

// Of a get(): the one content that comes.
class OneContent : public Listener {
 public:
  std::optional<Incoming> got;
  void on_confirmed(std::uint64_t, bool, bool) override {}
  void on_returned(std::uint64_t, std::string) override {}
  void on_arrived(Incoming incoming) override { got = std::move(incoming); }
  void on_blocked(std::string) override {}
};

}  // namespace

Result<std::optional<Incoming>> Connection::get(const std::string& queue) {
  const auto reply = amqp_basic_get(internal_->state, kMail, bytes_of(queue), 0);
  if (const auto asked = internal_->broken(check(reply)); !asked) return std::unexpected(asked.error());
  if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) return std::nullopt;
  const auto* ok = static_cast<const amqp_basic_get_ok_t*>(reply.reply.decoded);
  internal_->begin(Content::Kind::Got);
  internal_->content->incoming.tag = ok->delivery_tag;
  internal_->content->incoming.is_redelivered = ok->redelivered != 0;
  internal_->content->incoming.queue = queue;
  OneContent one;
  while (!one.got) {
    const timeval limit = timeval_of(internal_->settings.timeout);
    amqp_frame_t frame;
    if (const auto read = internal_->broken(check(amqp_simple_wait_frame_noblock(internal_->state, &frame, &limit))); !read) return std::unexpected(read.error());
    if (const auto taken = internal_->broken(internal_->take(frame, one)); !taken) return std::unexpected(taken.error());
  }
  amqp_maybe_release_buffers_on_channel(internal_->state, kMail);
  return std::move(one.got);
}

Result<void> Connection::ack(std::uint64_t tag) { return internal_->broken(check(amqp_basic_ack(internal_->state, kMail, tag, 0))); }
Result<void> Connection::nack(std::uint64_t tag, bool requeue) {
  return internal_->broken(check(amqp_basic_nack(internal_->state, kMail, tag, 0, requeue ? 1 : 0)));
}
Result<void> Connection::give_all_back() { return internal_->broken(check(amqp_basic_nack(internal_->state, kMail, 0, 1, 1))); }

Result<void> Connection::pump(std::chrono::milliseconds wait, Listener& listener) {
  if (internal_->is_broken) return base::fail(Fault::Temporary, "the connection to the broker broke");
  timeval limit = timeval_of(wait);
  for (std::size_t i = 0; i < kFramesPerPump; ++i) {
    amqp_frame_t frame;
    const int status = amqp_simple_wait_frame_noblock(internal_->state, &frame, &limit);
    if (status == AMQP_STATUS_TIMEOUT) return {};
    if (const auto read = internal_->broken(check(status)); !read) return read;
    if (const auto taken = internal_->broken(internal_->take(frame, listener)); !taken) return taken;
    amqp_maybe_release_buffers_on_channel(internal_->state, frame.channel);
    limit = {};
  }
  return {};
}

bool Connection::has_more() const { return amqp_frames_enqueued(internal_->state) || amqp_data_in_buffer(internal_->state); }

}  // namespace broker
