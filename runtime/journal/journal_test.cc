#include "runtime/journal/journal.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/journal/sqlite.h"

namespace rm::journal {
namespace {

namespace pb = ::ringmaster::v1;

pb::JournalRecord Record(int64_t now_ns, absl::string_view job_id = "a-job") {
  pb::JournalRecord record;
  record.set_now_ns(now_ns);
  record.add_events()->mutable_cancel()->set_job_id(std::string(job_id));
  return record;
}

std::unique_ptr<Journal> MustOpen(const std::string& path) {
  auto journal = Journal::Open(path);
  INFO(journal.status());
  REQUIRE(journal.ok());
  return *std::move(journal);
}

// The times of all records, which the tests choose to tell records apart.
std::vector<int64_t> Times(Journal& journal) {
  std::vector<int64_t> times;
  const absl::Status status = journal.Replay([&](int64_t, const pb::JournalRecord& record) {
    times.push_back(record.now_ns());
    return absl::OkStatus();
  });
  INFO(status);
  CHECK(status.ok());
  return times;
}

TEST_CASE("a new journal is empty") {
  const base::TemporaryFolder folder;
  const auto journal = MustOpen(folder.File("journal.db"));
  CHECK(journal->last_sequence() == 0);
  CHECK(Times(*journal).empty());
}

TEST_CASE("records are read back whole, in order, and after every reopening") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  {
    const auto journal = MustOpen(path);
    REQUIRE(journal->Append({Record(10, "first")}).ok());
    REQUIRE(journal->Append({Record(20), Record(30)}).ok());
    CHECK(journal->last_sequence() == 3);
    CHECK(Times(*journal) == std::vector<int64_t>{10, 20, 30});
  }
  {
    const auto journal = MustOpen(path);
    CHECK(journal->last_sequence() == 3);
    REQUIRE(journal->Append({Record(40)}).ok());
  }
  const auto journal = MustOpen(path);
  std::vector<int64_t> sequences;
  std::string first_job;
  REQUIRE(journal
              ->Replay([&](int64_t sequence, const pb::JournalRecord& record) {
                if (sequence == 1) first_job = record.events(0).cancel().job_id();
                sequences.push_back(sequence);
                return absl::OkStatus();
              })
              .ok());
  CHECK(sequences == std::vector<int64_t>{1, 2, 3, 4});
  CHECK(first_job == "first");
}

TEST_CASE("records that take the place of all others go on with their numbers") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  {
    const auto journal = MustOpen(path);
    REQUIRE(journal->Append({Record(10), Record(20), Record(30)}).ok());
    REQUIRE(journal->Replace({Record(11), Record(31)}).ok());
    CHECK(journal->last_sequence() == 5);
    CHECK(Times(*journal) == std::vector<int64_t>{11, 31});
    REQUIRE(journal->Append({Record(40)}).ok());
  }
  const auto journal = MustOpen(path);
  CHECK(Times(*journal) == std::vector<int64_t>{11, 31, 40});
  CHECK(journal->last_sequence() == 6);
}

TEST_CASE("appending nothing is no transaction") {
  const base::TemporaryFolder folder;
  const auto journal = MustOpen(folder.File("journal.db"));
  CHECK(journal->Append({}).ok());
  CHECK(journal->last_sequence() == 0);
}

TEST_CASE("replay ends with the visitor's error") {
  const base::TemporaryFolder folder;
  const auto journal = MustOpen(folder.File("journal.db"));
  REQUIRE(journal->Append({Record(1), Record(2), Record(3)}).ok());
  int visited = 0;
  const absl::Status status = journal->Replay([&](int64_t, const pb::JournalRecord&) {
    return ++visited == 2 ? absl::InternalError("enough") : absl::OkStatus();
  });
  CHECK(status.message() == "enough");
  CHECK(visited == 2);
}

TEST_CASE("a record of a megabyte is a record") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  const std::string long_id(1 << 20, 'x');
  REQUIRE(MustOpen(path)->Append({Record(1, long_id)}).ok());
  const auto journal = MustOpen(path);
  REQUIRE(journal
              ->Replay([&](int64_t, const pb::JournalRecord& record) {
                CHECK(record.events(0).cancel().job_id() == long_id);
                return absl::OkStatus();
              })
              .ok());
}

// A child process that has `body` run in it and is killed at the end, if it still lives.
class Child {
 public:
  template <typename Body>
  explicit Child(const Body& body) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      close(ends[0]);
      body(ends[1]);
      _exit(0);
    }
    close(ends[1]);
    from_child_ = ends[0];
  }
  ~Child() {
    Kill();
    close(from_child_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  // The next byte that the child wrote; -1 at its end.
  int NextByte() {
    unsigned char byte = 0;
    return read(from_child_, &byte, 1) == 1 ? byte : -1;
  }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  int from_child_ = -1;
};

void WriteByte(int fd, char byte) {
  if (write(fd, &byte, 1) != 1) _exit(1);
}

TEST_CASE("what was acknowledged before a kill is there after it, and nothing is half") {
  for (const int64_t acknowledged : {1, 2, 17, 60}) {
    const base::TemporaryFolder folder;
    const std::string path = folder.File("journal.db");
    Child child([&](int to_parent) {
      auto journal = Journal::Open(path);
      if (!journal.ok()) _exit(1);
      for (int64_t n = 1;; ++n) {  // two records a transaction, for ever
        if (!(*journal)->Append({Record(2 * n - 1), Record(2 * n)}).ok()) _exit(1);
        WriteByte(to_parent, 'y');
      }
    });
    for (int64_t n = 0; n < acknowledged; ++n) REQUIRE(child.NextByte() == 'y');
    child.Kill();

    const auto journal = MustOpen(path);
    const std::vector<int64_t> times = Times(*journal);
    CHECK(times.size() >= static_cast<size_t>(2 * acknowledged));
    CHECK(times.size() % 2 == 0);
    for (size_t i = 0; i < times.size(); ++i) CHECK(times[i] == static_cast<int64_t>(i) + 1);
  }
}

TEST_CASE("a second opener is refused, and told who holds the journal") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  Child child([&](int to_parent) {
    auto journal = Journal::Open(path);
    if (!journal.ok()) _exit(1);
    WriteByte(to_parent, 'y');
    pause();
  });
  REQUIRE(child.NextByte() == 'y');

  const auto second = Journal::Open(path);
  CHECK(second.status().code() == absl::StatusCode::kFailedPrecondition);
  const std::string message(second.status().message());
  CHECK(absl::StartsWith(
      message, absl::StrCat("journal ", path, " is in use by another coordinator (process ",
                            child.pid(), " on ")));
  CHECK(absl::EndsWith(message, "give this one a state folder of its own"));

  child.Kill();
  CHECK(Journal::Open(path).ok());
}

TEST_CASE("the lock holds within a process too, and ends with the journal") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  auto first = MustOpen(path);
  CHECK(Journal::Open(path).status().code() == absl::StatusCode::kFailedPrecondition);
  REQUIRE(first->Append({Record(1)}).ok());  // the refused opener has not taken the lock away
  CHECK(Journal::Open(path).status().code() == absl::StatusCode::kFailedPrecondition);
  first.reset();
  CHECK(Times(*MustOpen(path)) == std::vector<int64_t>{1});
  CHECK_FALSE(base::PosixFileSystem().Exists(absl::StrCat(path, ".holder")));
}

// A journal with records 1…3, closed: all of it lies in the main file.
std::string ThreeRecords(const base::TemporaryFolder& folder) {
  const std::string path = folder.File("journal.db");
  REQUIRE(MustOpen(path)->Append({Record(1, "one"), Record(2, "two"), Record(3, "three")}).ok());
  return path;
}

// Replays what can be read and returns the error.
absl::Status ReplayError(const std::string& path, std::vector<int64_t>* visited) {
  const auto journal = Journal::Open(path);
  if (!journal.ok()) return journal.status();
  return (*journal)->Replay([&](int64_t sequence, const pb::JournalRecord&) {
    visited->push_back(sequence);
    return absl::OkStatus();
  });
}

TEST_CASE("damage is found and said, and damaged records are never handed out") {
  const base::TemporaryFolder folder;
  const std::string path = ThreeRecords(folder);
  base::FileSystem& files = base::PosixFileSystem();
  std::vector<int64_t> visited;

  SECTION("a byte of a record that changed") {
    std::string bytes = files.ReadFile(path).value();
    bytes[bytes.find("two")] = 'T';
    REQUIRE(base::WriteFileAtomically(files, path, bytes).ok());
    CHECK(ReplayError(path, &visited).message() ==
          absl::StrCat("journal ", path,
                       " is damaged: record 2: its checksum does not match its bytes; restore it "
                       "from a copy, or move it away to begin without jobs"));
    CHECK(visited == std::vector<int64_t>{1});
  }
  SECTION("a record that is gone") {
    REQUIRE((*Database::Open(path, ""))->Execute("DELETE FROM record WHERE sequence=2").ok());
    CHECK(absl::StrContains(ReplayError(path, &visited).message(), "record 2: missing"));
    CHECK(visited == std::vector<int64_t>{1});
  }
  SECTION("records that changed places") {
    auto database = Database::Open(path, "");
    REQUIRE((*database)->Execute("UPDATE record SET sequence=-1 WHERE sequence=1").ok());
    REQUIRE((*database)->Execute("UPDATE record SET sequence=1 WHERE sequence=2").ok());
    REQUIRE((*database)->Execute("UPDATE record SET sequence=2 WHERE sequence=-1").ok());
    database->reset();
    CHECK(absl::StrContains(ReplayError(path, &visited).message(), "record 1: its checksum"));
    CHECK(visited.empty());
  }
  SECTION("a file that was cut off") {
    const std::string bytes = files.ReadFile(path).value();
    REQUIRE(base::WriteFileAtomically(files, path, bytes.substr(0, bytes.size() / 2)).ok());
    CHECK(ReplayError(path, &visited).code() == absl::StatusCode::kDataLoss);
  }
  SECTION("a file of another kind") {
    REQUIRE(base::WriteFileAtomically(files, path, std::string(8192, '#')).ok());
    CHECK(absl::StrContains(ReplayError(path, &visited).message(),
                            "is damaged: file is not a database"));
  }
}

TEST_CASE("any flipped bit is either harmless or reported, never a crash or a wrong record") {
  const base::TemporaryFolder folder;
  const std::string path = ThreeRecords(folder);
  base::FileSystem& files = base::PosixFileSystem();
  const std::string whole = files.ReadFile(path).value();
  for (size_t offset = 0; offset < whole.size(); offset += 101) {
    std::string bytes = whole;
    bytes[offset] = static_cast<char>(bytes[offset] ^ (1 << (offset % 8)));
    REQUIRE(base::WriteFileAtomically(files, path, bytes).ok());
    files.RemoveFile(absl::StrCat(path, "-wal")).IgnoreError();
    const auto journal = Journal::Open(path);
    if (!journal.ok()) continue;
    const absl::Status status =
        (*journal)->Replay([&](int64_t sequence, const pb::JournalRecord& record) {
          CHECK(record.now_ns() == sequence);
          return absl::OkStatus();
        });
    CAPTURE(offset);
    if (!status.ok()) CHECK(absl::StrContains(status.message(), path));
  }
}

TEST_CASE("a database of another program or format is refused and left alone") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");

  SECTION("another program's") {
    REQUIRE((*Database::Open(path, ""))->Execute("CREATE TABLE cats (name TEXT)").ok());
    CHECK(absl::StrContains(Journal::Open(path).status().message(),
                            "this database is of another program"));
    CHECK((*Database::Open(path, ""))->QueryInteger("SELECT count(*) FROM cats").ok());
  }
  SECTION("a later format") {
    MustOpen(path).reset();
    REQUIRE((*Database::Open(path, ""))->Execute("PRAGMA user_version=2").ok());
    CHECK(absl::StrContains(Journal::Open(path).status().message(),
                            "it has format 2 and this program reads format 1"));
  }
}

TEST_CASE("an empty file is a journal that was never begun") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  REQUIRE(base::PosixFileSystem().Create(path).ok());
  CHECK(MustOpen(path)->Append({Record(1)}).ok());
}

TEST_CASE("a folder that is not there is named") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("none/journal.db");
  const absl::Status status = Journal::Open(path).status();
  CHECK(status.code() == absl::StatusCode::kPermissionDenied);
  CHECK(status.message() == absl::StrCat("journal ", path,
                                         ": unable to open database file (No such file or "
                                         "directory)"));
}

// While it lives, no file of this process grows beyond `bytes`: a disk that is full for us alone.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit = {bytes, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_;
};

TEST_CASE("after a failed append nothing more is taken, and what was durable stays") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("journal.db");
  auto journal = MustOpen(path);
  REQUIRE(journal->Append({Record(1)}).ok());
  absl::Status failed;
  {
    const FileSizeLimit limit(100'000);
    failed = journal->Append({Record(2), Record(3, std::string(200'000, 'x'))});
  }
  CHECK_FALSE(failed.ok());
  CHECK(absl::StartsWith(failed.message(), absl::StrCat("journal ", path, ": ")));
  CHECK(journal->Append({Record(4)}) == failed);  // although the disk has room again
  CHECK(journal->last_sequence() == 1);

  journal.reset();
  CHECK(Times(*MustOpen(path)) == std::vector<int64_t>{1});
}

}  // namespace
}  // namespace rm::journal
