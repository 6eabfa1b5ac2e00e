// qctl export: messages out of the spool, which stay there.
#include <fcntl.h>

#include <array>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "qctl/commands.h"
#include "qctl/look.h"
#include "qctl/portable.h"

namespace qctl {
namespace {

using Write = std::string (*)(const queue::Seen&, std::string_view message);
struct Format {
  std::string_view name;
  Write write;
  std::string_view extension;
};
constexpr auto kFormats = std::to_array<Format>({
    {"json", to_json_line, ".json"},
    {"mbox", to_mbox, ".mbox"},
    {"raw", [](const queue::Seen&, std::string_view message) { return std::string(message); }, ".eml"},
});

base::Result<const Format*> format_of(const base::CommandLine& line) {
  if (!line.has("format")) return &kFormats.front();
  std::string known;
  for (const auto& format : kFormats) {
    if (format.name == line.text("format")) return &format;
    known += " " + std::string(format.name);
  }
  return base::fail(base::Fault::Usage, "--format: '" + base::text::printable(line.text("format")) + "'; expected one of:" + known);
}

class Export {
 public:
  Export(Session& session, const Format& format) : session_(session), format_(format), folder_(session.line.text("directory")) {}

  base::Result<int> run() {
    const bool is_bulk = session_.line.has("all") || session_.selection.has_criteria();
    if (is_bulk != session_.arguments.empty()) return base::fail(base::Fault::Usage, "export: which messages? expected: ids, or a selection or --all");
    if (format_.name == "raw" && folder_.empty() && session_.arguments.size() != 1)
      return base::fail(base::Fault::Usage, "export: several messages in one stream would be none; expected: --directory, or --format json or mbox");
    const auto written = is_bulk ? selection() : named();
    if (!written) return std::unexpected(written.error());
    if (is_bulk) (void)base::write_all(2, "qctl: exported " + std::to_string(count_) + (count_ == 1 ? " message\n" : " messages\n"));
    return 0;
  }

 private:
  base::Result<void> named() {
    for (const auto& id : session_.arguments) {
      const auto seen = find_seen(session_.spool, id);
      if (!seen) return std::unexpected(seen.error());
      if (const auto written = write(*seen); !written) return written;
    }
    return {};
  }

  base::Result<void> selection() {
    base::Result<void> written;
    Progress progress("exporting", 0);
    const auto found = for_each_seen(session_.spool, session_.selection, session_.now, [&](const queue::Seen& seen) {
      written = write(seen);
      progress.step();
      return written.has_value() && !session_.out.has_failed();
    });
    return written ? found : written;
  }

  base::Result<void> write(const queue::Seen& seen) {
    const auto view = seen.message.view();
    if (!view) return std::unexpected(view.error());
    const std::string octets = format_.write(seen, view->octets());
    ++count_;
    if (folder_.empty()) return session_.out.put(octets), base::Result<void>();
    // What is there already stays.
    const std::string path = folder_ + "/" + seen.item.id.string() + std::string(format_.extension);
    auto file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!file) return std::unexpected(file.error());
    if (const auto all = base::write_all(file->get(), octets); !all) return base::fail_within(path, all.error());
    return file->close();
  }

  Session& session_;
  const Format& format_;
  std::string folder_;
  std::size_t count_ = 0;
};

}  // namespace

base::Result<int> export_messages(Session& session) {
  const auto format = format_of(session.line);
  if (!format) return std::unexpected(format.error());
  return Export(session, **format).run();
}

}  // namespace qctl
