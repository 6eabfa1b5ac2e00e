// qctl list: one line a message, written while the spool is still being read.
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "qctl/commands.h"
#include "qctl/line.h"
#include "qctl/look.h"

namespace qctl {

base::Result<int> list(Session& session) {
  const LineLayout layout(session.out.screen());
  if (!session.wants_json() && session.out.screen().is_terminal)
    session.out.put(session.out.styled(layout.title(), Output::Style::Faint) + "\n");
  const auto print = [&](const Entry& entry) {
    session.out.put((session.wants_json() ? as_json(entry) : layout.line(entry, session.now, session.out)) + "\n");
    return !session.out.has_failed();
  };
  const auto listed = for_each(session.spool, session.selection, session.now, print);
  if (!listed) return std::unexpected(listed.error());
  return 0;
}

}  // namespace qctl
