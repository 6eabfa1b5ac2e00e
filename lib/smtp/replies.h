// What a server says: the standard replies as rows, and how other texts become replies. RFC 5321 section 4.2, RFC 3463.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smtp {

enum class ReplyId : std::uint8_t {
  None,  // nothing is said now
  TlsGoAhead,
  Help,
  Closing,
  AuthSucceeded,
  Ok,
  SenderOk,
  RecipientOk,
  MessageOk,
  CannotVerify,
  DataStart,
  ShuttingDown,
  TooBusy,
  Timeout,
  TooManyErrors,
  TooManyTransactions,
  TooManyConnections,
  TooManyAuthFailures,
  Failure,
  NoStorage,
  TooManyRecipients,
  TooFast,
  AuthTemporaryFailure,
  UnknownCommand,
  LineTooLong,
  BareLineFeed,
  AuthLineTooLong,
  BadArgument,
  BadSender,
  BadRecipient,
  BadChunk,
  ParameterTwice,
  BadParameter,
  BadAuthResponse,
  AuthCancelled,
  Unimplemented,
  BadSequence,
  NeedsChunks,
  MixedDataAndChunks,
  UnknownMechanism,
  AuthRequired,
  AuthFailed,
  AuthNeedsEncryption,
  AuthMustNotStart,
  AlreadyUnderTls,
  XclientDenied,
  TalkedFirst,
  RelayDenied,
  ReturnDenied,
  TlsRequired,
  BareLineEnd,
  TextLineTooLong,
  MessageTooLarge,
  NonAsciiAddress,
  NonAsciiHeader,
  EtrnRefused,
  Denied,
  NoRecipients,
  UnknownParameter,
};

struct ReplyRow {
  ReplyId id;
  int code;
  std::string_view status;  // RFC 3463; "" where RFC 2034 wants none
  std::string_view text;
};

const ReplyRow& reply_row(ReplyId id);

// The row as one line, CR LF included. `detail` goes behind the text, after a colon.
void append_reply(std::string& out, ReplyId id, std::string_view detail = {});

enum class ReplyClass : std::uint8_t { Positive = 2, Transient = 4, Permanent = 5 };

struct WireReply {
  int code = 0;
  std::string lines;  // complete, each with its CR LF
};

// A text of a rule or a filter, made fit for the wire: "no such user", "554 5.7.1 spam", or several lines, separated by LF,
// each with or without its code. Without a code 250, 451 or 554 stands for the class; without an enhanced status, or with one that
// contradicts the code, 2.0.0, 4.3.0 or 5.7.1. Control characters become '?', so do octets over 126 unless they are UTF-8 and `utf8`
// (RFC 6531 section 3.7.4: only a client that uses SMTPUTF8 is sent such); long lines are folded at kMaxReplyLineOctets.
// A code of another class than `expected`, or a positive one outside 250 to 259: code 0, the text cannot be meant.
WireReply reply_of_text(ReplyClass expected, std::string_view text, bool utf8 = false);

// The words of such a text as a greeting or a reply to EHLO or HELO, which have no enhanced status code (RFC 2034 section 4): each line
// with `code` in front, whatever positive code the text has. "" for a text with a code that is none.
std::string greeting_of_text(int code, std::string_view text);

inline constexpr std::size_t kMaxReplyLineOctets = 512;  // with CR LF; RFC 5321 section 4.5.3.1.5

}  // namespace smtp
