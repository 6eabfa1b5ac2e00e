// server.sandbox: how a program that keeps running shuts itself in, and what each of them keeps.
#pragma once

#include <string>

#include "lib/base/result.h"
#include "lib/base/sandbox.h"
#include "lib/base/settings.h"

namespace base {

// To a sandbox of any of our programs: the folder of the log, those of server.sandbox_folders, and what libraries look at.
void add_common(Sandbox& sandbox, const Settings& settings);

// Why a program cannot do its work from inside; "": it can. As the end of a sentence: "it starts 'true'".
using Obstacle = std::string;

// What server.sandbox says, with an obstacle: yes is an error, auto stays outside. `sandbox` is what add_common() has not said.
// Before threads are started, and when the socket that is served is there.
[[nodiscard]] Result<void> confine(const Settings& settings, Sandbox sandbox, const Obstacle& obstacle = {});
// The part of it that can fail for what is written in the configuration.
[[nodiscard]] Result<void> check_confinement(const Settings& settings, const Obstacle& obstacle);
// Whether confine() shuts this process in.
[[nodiscard]] bool is_confined(const Settings& settings, const Obstacle& obstacle);

}  // namespace base
