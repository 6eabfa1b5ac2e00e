// How this folder asks DNS. It blocks: whoever evaluates has a thread to wait in, and a test has a map.
#pragma once

#include <functional>
#include <string>

#include "lib/net/dns.h"

namespace authn {

using LookUp = std::function<net::dns::Answer(const std::string& name, net::dns::Type type)>;

}  // namespace authn
