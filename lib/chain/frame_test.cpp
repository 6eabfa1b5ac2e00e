#include "lib/chain/frame.h"

#include <doctest/doctest.h>
#include <fcntl.h>

using chain::FrameSplitter;
using chain::Words;
using Status = chain::FrameSplitter::Status;
using namespace std::string_literals;

namespace {

chain::Call some_call() {
  chain::Call call;
  call.environment = {"PROTO=TCP", "TCPREMOTEIP=192.0.2.1"};
  call.message = base::Blob::of_octets("Subject: x\r\n\r\n\0binary"s);
  call.envelope = "Fa\0Tb\0\0"s;
  call.context = "{}";
  return call;
}

std::string call_frame(std::uint64_t id = 7) {
  std::string out;
  const auto call = some_call();
  chain::append_call(out, id, call, call.message, Words{"--mark", ""}, Words{"next"});
  return out;
}

std::string_view body_of(const std::string& frame) { return std::string_view(frame).substr(chain::kFrameLengthOctets); }

}  // namespace

TEST_CASE("chain: a call frame has the layout of vsmtp-chain(7)") {
  chain::Call call;
  call.kind = chain::Kind::Delivery;
  std::string out = "before";
  chain::append_call(out, 0x0102030405060708, call, base::Blob::of_octets("M"), Words{"h"}, {});
  CHECK(out == "before\0\0\0\x26" "C\x01\x01\0\x01\x02\x03\x04\x05\x06\x07\x08" "\0\0\0\x01" "\0\0\0\0" "\0\0\0\0" "\0\0\0\x01h" "\0\0\0\0" "\0\0\0\0" "M"s);
}

TEST_CASE("chain: a call frame is read back") {
  const auto frame = call_frame();
  const auto read = chain::parse_call(body_of(frame));
  REQUIRE(read);
  CHECK(read->id == 7);
  CHECK(read->invocation.arguments == Words{"--mark", ""});
  CHECK(read->invocation.next == Words{"next"});
  CHECK(read->invocation.call.environment == some_call().environment);
  CHECK(read->invocation.call.envelope == some_call().envelope);
  CHECK(read->invocation.call.context == "{}");
  CHECK(read->message.octets == some_call().message.octets());
}

TEST_CASE("chain: an answer frame is read back") {
  std::string out;
  chain::append_answer(out, 9, chain::Answer::as_reported(base::Fault::Permanent, "554 no"));
  const auto read = chain::parse_answer(body_of(out));
  REQUIRE(read);
  CHECK(read->id == 9);
  CHECK(read->answer.exit_code == 82);
  CHECK(read->answer.report == "D554 no");
  CHECK_FALSE(read->answer.passes);

  out.clear();
  auto pass = chain::Answer::pass();
  pass.message = base::Blob::of_file(base::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), 5, 6);
  pass.envelope = "E";
  pass.context = "";
  chain::append_answer(out, 9, pass);
  const auto passed = chain::parse_answer(body_of(out));
  REQUIRE(passed);
  CHECK(passed->answer.passes);
  CHECK(passed->answer.envelope == "E");
  CHECK(passed->answer.context == "");
  REQUIRE(passed->message);
  CHECK(passed->message->is_descriptor);
  CHECK(passed->message->offset == 5);
  CHECK(passed->message->length == 6);
}

TEST_CASE("chain: a frame that was cut anywhere, or has more behind it, is bad") {
  const auto frame = call_frame();
  std::string answer;
  auto pass = chain::Answer::pass();
  pass.envelope = "E";
  chain::append_answer(answer, 1, pass);
  const std::size_t message = some_call().message.size();
  for (std::size_t length = 0; length < body_of(frame).size() - message; ++length) CHECK_FALSE(chain::parse_call(body_of(frame).substr(0, length)));
  for (std::size_t length = 0; length < body_of(answer).size(); ++length) CHECK_FALSE(chain::parse_answer(body_of(answer).substr(0, length)));
  CHECK_FALSE(chain::parse_answer(body_of(answer + "x")));
  CHECK_FALSE(chain::parse_call(body_of(answer)));
  CHECK_FALSE(chain::parse_answer(body_of(frame)));
}

TEST_CASE("chain: what a frame may not say") {
  const auto changed = [](std::size_t at, char octet) {
    auto frame = call_frame();
    frame[chain::kFrameLengthOctets + at] = octet;
    return chain::parse_call(std::string_view(frame).substr(chain::kFrameLengthOctets)).has_value();
  };
  CHECK(changed(0, 'C'));
  CHECK_FALSE(changed(0, 'X'));
  CHECK_FALSE(changed(1, 3));     // kind
  CHECK_FALSE(changed(2, 0));     // no message
  CHECK_FALSE(changed(2, 2));     // a descriptor without a message
  CHECK_FALSE(changed(2, 1 | 4)); // a call that passes
  CHECK_FALSE(changed(3, 1));
  CHECK_FALSE(changed(12, '\x7f'));  // 2^31 arguments: nothing is set aside for them
  std::string out;
  chain::append_call(out, 1, chain::Call(), base::Blob(), Words{"a\0b"s}, {});
  CHECK_FALSE(chain::parse_call(body_of(out)));
}

TEST_CASE("chain: frames are found however the stream is cut") {
  std::string stream;
  for (std::uint64_t id = 1; id <= 5; ++id) stream += call_frame(id);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameSplitter splitter(1000);
    std::uint64_t id = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      const std::string part = stream.substr(at, piece);  // its own memory: the last one must not be needed any more
      std::string_view input = part, body;
      while (splitter.next(input, body) == Status::Frame) {
        REQUIRE(chain::parse_call(body)->id == ++id);
        if (id == 3) {  // a pause: the rest is kept
          splitter.keep(input);
          input = {};
        }
      }
    }
    CHECK(id == 5);
  }
}

TEST_CASE("chain: a frame has a limit, at its length already") {
  const auto frame = call_frame();
  const auto status = [&](std::size_t limit, std::string_view input) {
    FrameSplitter splitter(limit);
    std::string_view body;
    return splitter.next(input, body);
  };
  const std::size_t length = frame.size() - chain::kFrameLengthOctets;
  CHECK(status(length, frame) == Status::Frame);
  CHECK(status(length - 1, frame) == Status::TooLong);
  CHECK(status(length - 1, std::string_view(frame).substr(0, 4)) == Status::TooLong);
  CHECK(status(length - 1, std::string_view(frame).substr(0, 3)) == Status::NeedMore);
  CHECK(status(length, "\0\0\0\x0b"s) == Status::TooLong);  // too short for a head
}
