#include "lib/chain/frame.h"

#include <algorithm>
#include <concepts>

namespace chain {
namespace {

constexpr char kCall = 'C';
constexpr char kAnswer = 'A';
constexpr unsigned kCallFlags = HasMessage | MessageIsDescriptor;
constexpr unsigned kAnswerFlags = kCallFlags | Passes | HasEnvelope | HasContext;
constexpr std::size_t kIdleOctets = 16384;  // what a connection may keep between frames
constexpr unsigned kLastKind = static_cast<unsigned>(Kind::Policy);

// ---- composing ----------------------------------------------------------------------------------------------------

template <std::unsigned_integral Number>
void put(char* to, Number number) {
  for (std::size_t i = sizeof number; i-- > 0; number = static_cast<Number>(number >> 4 >> 4)) to[i] = static_cast<char>(number & 0xFFU);
}

template <std::unsigned_integral Number>
void append_number(std::string& out, Number number) {
  char octets[sizeof number];
  put(octets, number);
  out.append(octets, sizeof octets);
}

void append_string(std::string& out, std::string_view text) {
  append_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

void append_words(std::string& out, WordsView words) {
  for (const auto& word : words) append_string(out, word);
}

// Writes the head now, and the length when the frame is complete.
class Frame {
 public:
  Frame(std::string& out, char type, unsigned value, unsigned flags, std::uint64_t id) : out_(out), start_(out.size()) {
    append_number(out_, std::uint32_t{0});
    const char head[] = {type, static_cast<char>(value), static_cast<char>(flags), 0};
    out_.append(head, sizeof head);
    append_number(out_, id);
  }
  ~Frame() { put(&out_[start_], static_cast<std::uint32_t>(out_.size() - start_ - kFrameLengthOctets)); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

 private:
  std::string& out_;
  std::size_t start_;
};

unsigned message_flags(const base::Blob& message) { return message.is_in_memory() ? HasMessage : HasMessage | MessageIsDescriptor; }

void append_message(std::string& out, const base::Blob& message) {
  if (message.is_in_memory()) {
    out += message.octets();
    return;
  }
  append_number(out, message.offset());
  append_number(out, message.size());
}

// ---- parsing ------------------------------------------------------------------------------------------------------

std::unexpected<base::Error> bad(std::string_view what) { return base::fail(base::Fault::Temporary, "bad frame: " + std::string(what)); }

// Eats from the front of a frame. After the first thing that is not there all is empty, and is_sound() tells.
class Reader {
 public:
  explicit Reader(std::string_view octets) : octets_(octets) {}

  template <std::unsigned_integral Number>
  Number number() {
    Number value = 0;
    for (const char c : take(sizeof(Number))) value = static_cast<Number>(value << 4 << 4) | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view string() { return take(number<std::uint32_t>()); }
  std::string_view rest() { return take(octets_.size()); }
  // Words come from and go to command lines: a NUL would end them there.
  Words words(std::size_t count) {
    Words words;
    if (count > octets_.size() / kFrameLengthOctets) {
      is_sound_ = false;  // before any memory is set aside for them
      return words;
    }
    words.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      words.emplace_back(string());
      if (words.back().find('\0') != std::string::npos) is_sound_ = false;
    }
    return words;
  }
  [[nodiscard]] bool is_sound() const { return is_sound_; }
  [[nodiscard]] bool is_at_end() const { return octets_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (count > octets_.size()) {
      is_sound_ = false;
      octets_ = {};
      return {};
    }
    const auto taken = octets_.substr(0, count);
    octets_.remove_prefix(count);
    return taken;
  }

  std::string_view octets_;
  bool is_sound_ = true;
};

struct Head {
  char type;
  unsigned value, flags, zero;
  std::uint64_t id;
};

Head read_head(Reader& reader) {
  Head head{};
  head.type = static_cast<char>(reader.number<std::uint8_t>());
  head.value = reader.number<std::uint8_t>();
  head.flags = reader.number<std::uint8_t>();
  head.zero = reader.number<std::uint8_t>();
  head.id = reader.number<std::uint64_t>();
  return head;
}

FramedMessage read_message(Reader& reader, unsigned flags) {
  FramedMessage message;
  message.is_descriptor = (flags & MessageIsDescriptor) != 0;
  if (message.is_descriptor) {
    message.offset = reader.number<std::uint64_t>();
    message.length = reader.number<std::uint64_t>();
  } else {
    message.octets = reader.rest();
    message.length = message.octets.size();
  }
  return message;
}

// Nullptr, or what is wrong.
const char* mistake_in(const Head& head, char type, unsigned flags_known) {
  if (head.type != type) return "unknown type";
  if (head.zero != 0 || (head.flags & ~flags_known) != 0) return "unknown flags";
  if ((head.flags & MessageIsDescriptor) != 0 && (head.flags & HasMessage) == 0) return "a descriptor without a message";
  return nullptr;
}

}  // namespace

void append_call(std::string& out, std::uint64_t id, const Call& call, const base::Blob& message, WordsView arguments, WordsView next) {
  const Frame frame(out, kCall, static_cast<unsigned>(call.kind), message_flags(message), id);
  append_number(out, static_cast<std::uint32_t>(arguments.size()));
  append_number(out, static_cast<std::uint32_t>(next.size()));
  append_number(out, static_cast<std::uint32_t>(call.environment.size()));
  append_words(out, arguments);
  append_words(out, next);
  append_words(out, call.environment);
  append_string(out, call.envelope);
  append_string(out, call.context);
  append_message(out, message);
}

void append_answer(std::string& out, std::uint64_t id, const Answer& answer) {
  unsigned flags = 0;
  if (answer.passes) {
    flags |= Passes;
    if (answer.message) flags |= message_flags(*answer.message);
    if (answer.envelope) flags |= HasEnvelope;
    if (answer.context) flags |= HasContext;
  }
  const Frame frame(out, kAnswer, static_cast<unsigned>(answer.exit_code) & 0xFFU, flags, id);
  append_string(out, answer.report);
  if ((flags & HasEnvelope) != 0) append_string(out, *answer.envelope);
  if ((flags & HasContext) != 0) append_string(out, *answer.context);
  if ((flags & HasMessage) != 0) append_message(out, *answer.message);
}

base::Result<CallFrame> parse_call(std::string_view body) {
  Reader reader(body);
  const Head head = read_head(reader);
  if (const char* mistake = mistake_in(head, kCall, kCallFlags)) return bad(mistake);
  if (head.value > kLastKind) return bad("unknown kind of call");
  if ((head.flags & HasMessage) == 0) return bad("a call without a message");
  CallFrame frame;
  frame.id = head.id;
  Call& call = frame.invocation.call;
  call.kind = static_cast<Kind>(head.value);
  const auto arguments = reader.number<std::uint32_t>();
  const auto next = reader.number<std::uint32_t>();
  const auto variables = reader.number<std::uint32_t>();
  frame.invocation.arguments = reader.words(arguments);
  frame.invocation.next = reader.words(next);
  call.environment = reader.words(variables);
  call.envelope = reader.string();
  call.context = reader.string();
  frame.message = read_message(reader, head.flags);
  if (!reader.is_sound() || !reader.is_at_end()) return bad("a call of wrong length or with NUL in a word");
  return frame;
}

base::Result<AnswerFrame> parse_answer(std::string_view body) {
  Reader reader(body);
  const Head head = read_head(reader);
  if (const char* mistake = mistake_in(head, kAnswer, kAnswerFlags)) return bad(mistake);
  if ((head.flags & Passes) == 0 && head.flags != 0) return bad("changes without passing on");
  AnswerFrame frame;
  frame.id = head.id;
  frame.answer.exit_code = static_cast<int>(head.value);
  frame.answer.passes = (head.flags & Passes) != 0;
  frame.answer.report = reader.string();
  if ((head.flags & HasEnvelope) != 0) frame.answer.envelope = reader.string();
  if ((head.flags & HasContext) != 0) frame.answer.context = reader.string();
  if ((head.flags & HasMessage) != 0) frame.message = read_message(reader, head.flags);
  if (!reader.is_sound() || !reader.is_at_end()) return bad("an answer of wrong length");
  return frame;
}

bool FrameSplitter::top_up(std::string_view& input, std::size_t octets) {
  const std::size_t have = kept_.size() - cut_;
  if (have >= octets) return true;
  const auto more = input.substr(0, octets - have);
  kept_ += more;
  input.remove_prefix(more.size());
  return kept_.size() - cut_ >= octets;
}

// Whole frames are handed out where they lie in `input`; only one that came in parts is put together in kept_.
FrameSplitter::Status FrameSplitter::next(std::string_view& input, std::string_view& body) {
  if (cut_ == kept_.size()) {
    if (kept_.capacity() > kIdleOctets) kept_ = std::string();  // a large frame once shall not cost memory for ever
    kept_.clear();
    cut_ = 0;
  }
  const bool is_split = !kept_.empty();
  if (is_split && !top_up(input, kFrameLengthOctets)) return Status::NeedMore;
  const auto front = is_split ? std::string_view(kept_).substr(cut_) : input;
  if (front.size() < kFrameLengthOctets) {
    kept_ = input;
    input = {};
    return Status::NeedMore;
  }
  const std::size_t length = Reader(front).number<std::uint32_t>();
  if (length > limit_ || length < kFrameHeadOctets) return Status::TooLong;
  const std::size_t whole = kFrameLengthOctets + length;
  if (is_split) {
    if (!top_up(input, whole)) return Status::NeedMore;
    body = std::string_view(kept_).substr(cut_ + kFrameLengthOctets, length);
    cut_ += whole;
    return Status::Frame;
  }
  if (input.size() < whole) {
    kept_ = input;
    input = {};
    return Status::NeedMore;
  }
  body = input.substr(kFrameLengthOctets, length);
  input.remove_prefix(whole);
  return Status::Frame;
}

}  // namespace chain
