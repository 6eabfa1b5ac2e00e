#include "queue-run/rules_socket.h"

#include <unistd.h>

#include <cstdlib>

#include "lib/base/text.h"

namespace run {
namespace {

std::string folder_of_program() {
  for (const auto* name : {"RUNTIME_DIRECTORY", "TMPDIR"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return std::string(base::text::split_once(value, ':').first);
  return "/tmp";
}

}  // namespace

RulesSocket::RulesSocket(net::Loop& loop, OnReplace on_replace)
    : on_replace_(std::move(on_replace)), server_(loop, {.connections = 1000, .calls_at_once = 1000, .frame_octets = 64 << 20}, [this](chain::PendingCall call) { serve(std::move(call)); }) {}

RulesSocket::~RulesSocket() {
  if (folder_.empty()) return;
  (void)::unlink(path().c_str());
  (void)::rmdir(folder_.c_str());
}

base::Result<void> RulesSocket::listen() {
  std::string folder = folder_of_program() + "/queue-run.XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return base::fail_errno("make a folder for the socket of rules, " + folder);
  folder_ = std::move(folder);
  return server_.listen(path());
}

void RulesSocket::serve(chain::PendingCall call) {
  const auto& words = call.invocation.arguments;
  const auto id = words.size() == 2 && words[0] == "replace" ? queue::Id::parse(words[1]) : std::nullopt;
  const auto done = id ? on_replace_(*id, call.invocation.call) : base::fail(base::Fault::Permanent, "unknown request; expected: replace ID");
  call.answer(done ? chain::Answer::taken({}) : chain::Answer::as_reported(done.error().fault, done.error().cause));
}

}  // namespace run
