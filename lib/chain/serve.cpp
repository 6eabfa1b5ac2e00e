#include "lib/chain/serve.h"

#include "lib/chain/resident.h"

namespace chain {

int serve(std::string_view program, const base::CommandLine& line, const Service& service, const Handler& handler) {
  if (!line.has("resident")) return serve_once(program, line.arguments, line.chain, service.message_limit_octets, handler);
  if (line.has_chain || !line.arguments.empty())
    return base::report(program, {base::Fault::Usage, "with --resident, arguments and the next program come with each call"});
  return serve_resident(program, line.text("resident"), {.handler = handler, .threads = service.threads, .reload = service.reload, .confine = service.confine});
}

}  // namespace chain
