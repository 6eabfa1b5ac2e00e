// What a client authenticates or has authenticated with, in the attributes of a session question (vsmtp-chain(7)).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "vsl-filter/stages/stage_result.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// By the name of the SASL mechanism: what the server was shown of the password (vsl.md 3.2).
Credentials credentials_of(std::string_view method, std::string_view user);

// An attribute's value; "" if it is not there.
using Attribute = std::function<std::string_view(std::string_view name)>;

// At AUTH: what is to be judged. nullopt: nothing is.
std::optional<Credentials> credentials_asked(const Attribute& attribute);

// What the rules of the stage authenticate came to, in attributes: action, reply, keys. `reply`: the refusal that stands for it, else the
// words of the yes. With packet() the secret of the user is compared here; it goes nowhere.
std::string answer_at_auth(const Attribute& attribute, const StageResult& result, const std::optional<Reply>& reply);

}  // namespace rules
