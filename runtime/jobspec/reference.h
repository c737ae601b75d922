// The table of keys in two other forms: a JSON Schema for editors, and a page for people.
//
// Both are made from runtime/jobspec/key_table.h alone, so that they cannot say what the parser does
// not do. `trainctl schema` prints them, docs/ keeps a copy of each, and a test fails when a copy is
// not what the table makes. Pure functions.
#ifndef RM_RUNTIME_JOBSPEC_REFERENCE_H_
#define RM_RUNTIME_JOBSPEC_REFERENCE_H_

#include <string>

namespace rm::jobspec {

// A JSON Schema (draft 2020-12) of the job file: names, types, ranges, choices, defaults, which keys
// are required and which exclude each other. It accepts every file that Parse accepts, and refuses
// every name, type and choice that Parse refuses. What it leaves to Parse are relations between
// values (ranks and batch size), bounds of durations, and how long a text may be.
[[nodiscard]] std::string JsonSchema();

// docs/jobspec.md: every key with type, default and purpose, and by name what is not supported yet.
[[nodiscard]] std::string ReferencePage();

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_REFERENCE_H_
