#include "base/temporary_folder.h"

#include <cerrno>
#include <cstdlib>

#include "base/check.h"
#include "base/file_system.h"

namespace rm::base {
namespace {

std::string Root() {
  for (const char* name : {"TEST_TMPDIR", "TMPDIR"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value == '/') return value;
  }
  return "/tmp";
}

}  // namespace

TemporaryFolder::TemporaryFolder() : path_(JoinPath(Root(), "rm-XXXXXX")) {
  RM_CHECK(mkdtemp(path_.data()) != nullptr, "mkdtemp ", path_, ": errno ", errno);
}

TemporaryFolder::~TemporaryFolder() { PosixFileSystem().RemoveAll(path_).IgnoreError(); }

std::string TemporaryFolder::File(absl::string_view name) const { return JoinPath(path_, name); }

}  // namespace rm::base
