// Checks a value against a JSON Schema, as far as the schemas of this folder go.
#ifndef RM_RUNTIME_JOBSPEC_TESTING_SCHEMA_H_
#define RM_RUNTIME_JOBSPEC_TESTING_SCHEMA_H_

#include <string>

#include "base/json.h"
#include "runtime/jobspec/yaml_tree.h"

namespace rm::jobspec {

// "" when `value` fits `schema`, else the first thing that does not, with its place ("/train/epochs:
// wrong type"). A keyword that this checker does not know fails as well: an assertion that is passed
// over would make every test with it worthless.
[[nodiscard]] std::string SchemaProblem(const base::Json& schema, const base::Json& value);

// A tree as the JSON that a validator behind a YAML reader sees (YAML 1.2's core schema: 3 is a
// number, "3" a text, ~ null).
[[nodiscard]] base::Json JsonOf(const YamlNode& node);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_TESTING_SCHEMA_H_
