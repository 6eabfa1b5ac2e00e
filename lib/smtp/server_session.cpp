// The machine itself: which octets are read as what, questions and answers, the life of a transaction. The verbs are in
// server_verbs.cpp and server_auth.cpp.
#include "lib/smtp/server_session.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace smtp {

Step ServerSession::advance(std::string_view& input, std::string& output) {
  for (;;) {
    if (std::exchange(delays_, false)) return Step::Delay;
    if (reading_ == Reading::Nothing) return Step::Close;
    if (std::exchange(starts_tls_, false)) return Step::StartTls;
    if (is_asking_) return Step::Ask;
    if (!read(input, output)) return Step::NeedInput;
  }
}

bool ServerSession::read(std::string_view& input, std::string& output) {
  switch (reading_) {
    case Reading::Greeting: return read_greeting(output);
    case Reading::Command: return read_command(input, output);
    case Reading::OverlongCommand: return skip_command(input, output);
    case Reading::Data: return read_data(input, output);
    case Reading::Chunk: return read_chunk(input, output);
    case Reading::Nothing: break;
  }
  return false;
}

bool ServerSession::read_greeting(std::string& output) {
  ask(Stage::Connect, output);
  return true;
}

// A line up to CR LF. It is read where it lies; only one that comes in pieces is kept in line_.
bool ServerSession::read_command(std::string_view& input, std::string& output) {
  const auto lf = input.find('\n');
  const auto piece = input.substr(0, lf == std::string_view::npos ? lf : lf + 1);
  const auto octets = line_.size() + piece.size();
  const bool is_of_exchange = octets > options_->limits.command_line_octets && this->is_of_exchange(piece);
  if (octets > (is_of_exchange ? kMaxExchangeLineOctets : options_->limits.command_line_octets)) {
    overlong_reply_ = is_of_exchange ? ReplyId::AuthLineTooLong : ReplyId::LineTooLong;
    exchange_.reset();
    line_ = line_.ends_with('\r') ? "\r" : "";  // all that skip_command() needs of it
    reading_ = Reading::OverlongCommand;
    return true;
  }
  input.remove_prefix(piece.size());
  if (lf == std::string_view::npos) {
    line_ += piece;
    return false;
  }
  std::string collected;
  std::string_view line = piece;
  if (!line_.empty()) {
    collected = std::exchange(line_, std::string()).append(piece);
    line = collected;
  }
  const bool has_cr_lf = line.ends_with("\r\n");
  if (!has_cr_lf && refuses_bare_line_ends()) {
    close(ReplyId::BareLineFeed, output);
    return true;
  }
  line.remove_suffix(has_cr_lf ? 2 : 1);
  ++progress_;
  if (exchange_ != nullptr) {
    response(line, output);
  } else {
    command(line, output);
  }
  return true;
}

bool ServerSession::skip_command(std::string_view& input, std::string& output) {
  const auto lf = input.find('\n');
  if (lf == std::string_view::npos) {
    if (!input.empty()) line_ = input.back() == '\r' ? "\r" : "";
    input = {};
    return false;
  }
  const bool has_cr_lf = lf > 0 ? input[lf - 1] == '\r' : line_ == "\r";
  input.remove_prefix(lf + 1);
  line_.clear();
  reading_ = Reading::Command;
  ++progress_;
  if (!has_cr_lf && refuses_bare_line_ends()) {
    close(ReplyId::BareLineFeed, output);
  } else {
    reply({overlong_reply_}, output);
  }
  return true;
}

bool ServerSession::read_data(std::string_view& input, std::string& output) {
  const auto status = text_.feed(input, [this](std::string_view octets) { take_text(octets); });
  if (text_.has_bare_line_end() && refuses_bare_line_ends()) drop_message(ReplyId::BareLineEnd);
  if (status == DotReader::Status::NeedMore) return false;
  end_data(output);
  return true;
}

bool ServerSession::read_chunk(std::string_view& input, std::string& output) {
  auto part = input.substr(0, std::min<std::uint64_t>(input.size(), chunk_left_));
  input.remove_prefix(part.size());
  chunk_left_ -= part.size();
  if (drops_chunk_) {
    // Thrown away, but read: what follows is the next command (RFC 3030 section 2).
  } else if (transaction_->body == BodyType::BinaryMime) {
    take_text(part);
  } else {
    (void)text_.feed(part, [this](std::string_view octets) { take_text(octets); });
  }
  if (chunk_left_ > 0) return false;
  end_chunk(output);
  return true;
}

void ServerSession::take_text(std::string_view octets) {
  if (is_discarded_ || octets.empty()) return;
  if (!is_chunked_) transaction_->octets += octets.size();  // those of chunks are counted when BDAT announces them
  if (is_too_large()) {
    drop_message(ReplyId::MessageTooLarge);
  } else {
    sink_->append(octets);
  }
}

// Why a message that is read to its end, or a chunk of it, cannot be taken; None if it can.
ReplyId ServerSession::defect() const {
  const auto line_limit = options_->limits.text_line_octets;
  if (text_.has_bare_line_end() && refuses_bare_line_ends()) return ReplyId::BareLineEnd;
  if (is_too_large()) return ReplyId::MessageTooLarge;
  if (line_limit > 0 && text_.longest_line_octets() > line_limit) return ReplyId::TextLineTooLong;
  return ReplyId::None;
}

void ServerSession::end_data(std::string& output) {
  ++progress_;
  reading_ = Reading::Command;
  const ReplyId wrong = defect();
  if (wrong == ReplyId::None) return ask(Stage::Message, output);
  drop_message(wrong);
  reply_to_message({wrong}, output);
  reset();
  // A client that sends bare CR or LF may see the end of its message elsewhere than RFC 5321 does. It was read to CR LF . CR LF,
  // so that the client hears the reply; what follows is not taken for commands.
  if (wrong == ReplyId::BareLineEnd) reading_ = Reading::Nothing;
}

void ServerSession::end_chunk(std::string& output) {
  ++progress_;
  reading_ = Reading::Command;
  if (std::exchange(drops_chunk_, false)) {
    if (chunk_refusal_ != ReplyId::None) reply({chunk_refusal_}, output);
    return;
  }
  if (is_last_chunk_) text_.finish([this](std::string_view octets) { take_text(octets); });
  if (const ReplyId wrong = defect(); wrong != ReplyId::None) {
    drop_message(wrong);
    if (is_last_chunk_) {
      reply_to_message({wrong}, output);
    } else {
      reply({wrong}, output);
    }
    reset();
  } else if (is_last_chunk_) {
    ask(Stage::Message, output);
  } else {
    reply({ReplyId::Ok}, output);
  }
}

// ---- questions and answers ------------------------------------------------------------------------------------------

constexpr ServerSession::StageRow ServerSession::kStages[] = {
    {Stage::Connect, &ServerSession::accept_connect, &ServerSession::refuse_connect},
    {Stage::Helo, &ServerSession::accept_helo, &ServerSession::refuse_helo},
    {Stage::Auth, &ServerSession::accept_auth, &ServerSession::refuse_auth},
    {Stage::Mail, &ServerSession::accept_mail, &ServerSession::refuse_mail},
    {Stage::Rcpt, &ServerSession::accept_rcpt, &ServerSession::refuse_rcpt},
    {Stage::Data, &ServerSession::accept_data, &ServerSession::refuse_data},
    {Stage::Message, &ServerSession::accept_message, &ServerSession::refuse_message},
    {Stage::Verify, &ServerSession::accept_verify, &ServerSession::refuse_aside},
    {Stage::Etrn, &ServerSession::accept_etrn, &ServerSession::refuse_aside},
};

void ServerSession::ask(Stage stage, std::string& output) {
  stage_ = stage;
  if (stage == Stage::Message) has_text_ = false;  // it is the driver's now
  if (((options_->asks | bit(Stage::Auth)) & bit(stage)) != 0) {
    is_asking_ = true;
  } else {
    (this->*kStages[static_cast<std::size_t>(stage)].accept)(output);
  }
}

namespace {
// Of a reply to EHLO, whose other lines name the extensions.
void append_with_first_line(std::string& out, std::string_view ehlo, std::string_view reply) {
  constexpr std::size_t kCode = 4;  // "250-"
  const auto words = reply.substr(kCode, reply.find("\r\n") - kCode);
  out.append(ehlo.substr(0, kCode)).append(words).append(ehlo.substr(std::min(ehlo.find("\r\n"), ehlo.size())));
}
}  // namespace

void ServerSession::answer(const Answer& answer, std::string& output) {
  assert(is_asking_);
  is_asking_ = false;
  ++progress_;
  delays_ = answer.delays;
  if (keeps_refusal(answer, output)) return;
  const std::size_t recipients = stage_ == Stage::Message ? transaction_->recipients.size() : 1, from = output.size();
  const StageRow& row = kStages[static_cast<std::size_t>(stage_)];
  if (answer.accepts) {
    std::string unsaid;
    (this->*row.accept)(answer.reply.empty() ? output : unsaid);
    if (stage_ == Stage::Helo && is_extended_ && !answer.reply.empty()) {
      append_with_first_line(output, unsaid, answer.reply);
    } else {
      output += answer.reply;
    }
  } else {
    (this->*row.refuse)();
    // The message was the filters' to judge, and what we cannot check is our fault; all else that is refused counts against the client.
    const bool is_ours = stage_ == Stage::Message || (stage_ == Stage::Auth && answer.reply.starts_with('4'));
    const bool has_ended = answer.counts && !is_ours && count_error(output);
    if (has_ended) return;
    output += answer.reply;
    if (answer.reply.empty()) options_->replies.append(output, ReplyId::Denied);
  }
  repeat_for(recipients, from, output);
  if (answer.closes) end();
}

// LMTP owes each recipient a reply (RFC 2033 section 4.2); the message has been judged as a whole, so they are all the same.
void ServerSession::repeat_for(std::size_t recipients, std::size_t from, std::string& output) const {
  if (!options_->is_lmtp || reading_ == Reading::Nothing) return;
  const std::string once = output.substr(from);
  for (std::size_t i = 1; i < recipients; ++i) output += once;
}

void ServerSession::reply_to_message(const Refusal& refusal, std::string& output) {
  const std::size_t recipients = transaction_->recipients.size(), from = output.size();
  reply(refusal, output);
  repeat_for(recipients, from, output);
}

void ServerSession::accept_connect(std::string& output) {
  reading_ = Reading::Command;
  output += options_->greeting_reply;
}
void ServerSession::refuse_connect() { end(); }

void ServerSession::accept_helo(std::string& output) {
  state_ = kReady;
  if (is_extended_) return append_ehlo(output);
  output += options_->helo_reply;
}
void ServerSession::refuse_helo() { helo_.clear(); }

void ServerSession::accept_mail(std::string& output) {
  state_ = kMail;
  reply({ReplyId::SenderOk}, output);
}
void ServerSession::refuse_mail() { reset(); }

void ServerSession::accept_rcpt(std::string& output) {
  state_ = kRcpt;
  reply({ReplyId::RecipientOk}, output);
}
void ServerSession::refuse_rcpt() {
  transaction_->recipients.pop_back();
  ++transaction_->refused_recipients;
}

void ServerSession::accept_data(std::string& output) {
  text_ = DotReader(is_chunked_ ? DotReader::Framing::Counted : DotReader::Framing::Dots, options_->bare_line_end);
  has_text_ = true;
  is_discarded_ = false;
  sink_->begin();
  if (is_chunked_) {
    begin_chunk();
  } else {
    reading_ = Reading::Data;
    reply({ReplyId::DataStart}, output);
  }
}
void ServerSession::refuse_data() {
  if (!is_chunked_) return;
  is_chunked_ = false;
  drop_chunk(ReplyId::None);
}

void ServerSession::accept_message(std::string& output) {
  ++messages_;
  idle_commands_ = 0;
  reset();
  reply({ReplyId::MessageOk}, output);
}
void ServerSession::refuse_message() { reset(); }

void ServerSession::accept_verify(std::string& output) { reply({ReplyId::CannotVerify}, output); }
void ServerSession::accept_etrn(std::string& output) { reply({ReplyId::Ok}, output); }
void ServerSession::refuse_aside() {}

// ---- the rest -------------------------------------------------------------------------------------------------------

// The first chunk of a message, or a further one.
void ServerSession::begin_chunk() {
  state_ = kBdat;
  reading_ = Reading::Chunk;
  auto& octets = transaction_->octets;
  octets += std::min(chunk_left_, ~octets);  // no sum is larger than the largest number
  if (is_too_large()) drop_message(ReplyId::MessageTooLarge);
}

void ServerSession::drop_chunk(ReplyId refusal) {
  reading_ = Reading::Chunk;
  drops_chunk_ = true;
  chunk_refusal_ = refusal;
}

void ServerSession::tls_started(sasl::Facts facts) {
  reset();
  identity_.reset();
  facts.server_name = options_->server_name;
  channel_ = std::make_unique<sasl::Facts>(std::move(facts));
  is_secured_ = true;
  state_ = kStart;
  helo_.clear();
  line_.clear();
}

void ServerSession::close(ReplyId reply, std::string& output) {
  options_->replies.append(output, reply);
  end();
}

void ServerSession::end() {
  drop_message(ReplyId::None);
  is_asking_ = false;
  exchange_.reset();
  reading_ = Reading::Nothing;
}

void ServerSession::reply(const Refusal& reply, std::string& output) {
  if (reply_row(reply.reply).code >= 500 && count_error(output)) return;
  options_->replies.append(output, reply.reply, reply.detail);
}

// Returns true when this was one too many: the session has ended and the reply is given.
bool ServerSession::count_error(std::string& output) {
  ++errors_;
  if (errors_ >= options_->limits.hard_errors) {
    close(ReplyId::TooManyErrors, output);
    return true;
  }
  delays_ |= delays_errors_ || errors_ > options_->limits.soft_errors;
  return false;
}

void ServerSession::drop_message(ReplyId reason) {
  if (has_text_ && !is_discarded_) sink_->discard(reason);
  is_discarded_ = true;
}

void ServerSession::reset() {
  drop_message(ReplyId::None);
  transaction_.reset();
  has_text_ = false;
  is_chunked_ = false;
  if (state_ != kStart) state_ = kReady;
}

bool ServerSession::is_too_large() const {
  const auto limit = options_->limits.message_octets;
  return limit > 0 && transaction_->octets > limit;
}

bool ServerSession::refuses_bare_line_ends() const { return options_->bare_line_end == DotReader::BareLineEnd::Refuse; }

unsigned ServerSession::extensions() const {
  return options_->extensions & ~static_cast<unsigned>(is_secured_ ? kStartTls : kRequireTls);
}

ServerSession::Phase ServerSession::phase() const {
  if (is_asking_) return Phase::Asking;
  if (reading_ == Reading::Data || reading_ == Reading::Chunk) return Phase::Text;
  return state_ == kStart ? Phase::Connected : state_ == kReady ? Phase::Greeted : state_ == kMail ? Phase::HasSender : Phase::HasRecipient;
}

}  // namespace smtp
