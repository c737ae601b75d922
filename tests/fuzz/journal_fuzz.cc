// The coordinator's journal with damage anywhere in its file: it is refused, or ends at the record
// that is damaged; what is handed out is what was written.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/journal/journal.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

namespace pb = ::ringmaster::v1;
constexpr int kRecords = 5;

pb::JournalRecord RecordOf(int number) {
  pb::JournalRecord record;
  record.set_now_ns(1000 + number);
  return record;
}

// One folder for all cases: making it costs more than a case.
const std::string& Path() {
  static const auto& folder = *new base::TemporaryFolder();
  static const std::string& path = *new std::string(folder.File("journal"));
  return path;
}

void RemoveAll() {
  for (const char* suffix : {"", "-wal", "-shm", ".holder"}) {
    std::error_code error;
    std::filesystem::remove(absl::StrCat(Path(), suffix), error);
  }
}

std::string Written() {
  RemoveAll();
  auto journal = journal::Journal::Open(Path());
  RM_CHECK(journal.ok(), journal.status().message());
  std::vector<pb::JournalRecord> records;
  for (int i = 1; i <= kRecords; ++i) records.push_back(RecordOf(i));
  RM_CHECK((*journal)->Append(records).ok(), "append");
  journal->reset();  // closes, and moves the log into the database
  return base::PosixFileSystem().ReadFile(Path()).value();
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 400;  // a database is opened for each
  options.input_bytes_max = 1 << 16;
  options.live_bytes_max = size_t{16} << 20;
  return options;
}

std::vector<std::string> Seeds() { return {Written()}; }

std::vector<std::string> Words() {
  return {"SQLite format 3", "CREATE TABLE", "record", std::string("\x0d\0\0\0\x05", 5)};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rm::fuzz::RemoveAll();
  const absl::string_view bytes = rm::fuzz::TextOf(data, size);
  std::ofstream(rm::fuzz::Path()) << bytes;  // without a sync: there are hundreds of them
  auto journal = rm::journal::Journal::Open(rm::fuzz::Path());
  if (!journal.ok()) return 0;
  int64_t visited = 0;
  const absl::Status replayed = (*journal)->Replay(
      [&](int64_t sequence, const rm::fuzz::pb::JournalRecord& record) {
        // A record that is handed out is the one that was written.
        RM_CHECK(sequence >= 1 && sequence <= rm::fuzz::kRecords, "record ", sequence);
        RM_CHECK(record.SerializeAsString() ==
                     rm::fuzz::RecordOf(static_cast<int>(sequence)).SerializeAsString(),
                 "another record ", sequence);
        ++visited;
        return absl::OkStatus();
      });
  if (replayed.ok() && visited == rm::fuzz::kRecords) rm::fuzz::Accepted();
  return 0;
}
