// Calls the functions of a library for another processor, under an emulator, for a process on this one.
//
//     server LIBRARY SOCKET
//
// The caller's memory is not here: a page of it is fetched when something first touches it, at its own address, and
// what has changed in it goes back before the caller goes on. So the records of csrc/arguments.h need no translation,
// and nobody has to know how far the arrays reach that they name. Messages are of library.py.
#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr uintptr_t kPage = 4096;
int connection;

// Without memory of its own: a page is fetched in the middle of anything.
void all(ssize_t (*act)(int, void*, size_t), void* data, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t count = act(connection, static_cast<char*>(data) + done, size - done);
    if (count <= 0) _exit(count ? 2 : 0);  // the caller has gone
    done += size_t(count);
  }
}
void receive(void* data, size_t size) { all(read, data, size); }
void send(const void* data, size_t size) {
  all([](int to, void* from, size_t n) { return write(to, from, n); }, const_cast<void*>(data), size);
}
void send_number(int64_t number) { send(&number, sizeof number); }
int64_t receive_number() {
  int64_t number;
  receive(&number, sizeof number);
  return number;
}

// The caller's pages that are here, and what they held when they came.
struct Pages {
  static constexpr size_t kMost = 1 << 18, kAtOnce = 16;
  char* at[kMost];
  char* before;  // [kMost][kPage]
  size_t count = 0;
  std::atomic_flag busy = ATOMIC_FLAG_INIT;

  Pages() : before(room(kMost)) {}

  // That page, and those behind it as far as the caller has any.
  void fetch(char* page) {
    while (busy.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    if (!is_here(page)) {  // unless another thread was first
      send_number('p');
      send_number(int64_t(page));
      send_number(kAtOnce);
      const int64_t found = receive_number();
      if (!found || count + kAtOnce > kMost) {
        std::fprintf(stderr, "the library touched %p, where the caller has nothing\n", static_cast<void*>(page));
        _exit(4);
      }
      for (int64_t i = 0; i < found; ++i) {
        char* const kept = before + count * kPage;
        receive(kept, kPage);
        if (is_here(page + i * kPage)) continue;
        // Filled first and then put in its place: other threads must not see it empty.
        char* const filled = room(1);
        std::memcpy(filled, kept, kPage);
        if (mremap(filled, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, page + i * kPage) != page + i * kPage) _exit(5);
        at[count++] = page + i * kPage;
      }
    }
    busy.clear(std::memory_order_release);
  }
  bool is_here(const char* page) const {
    for (size_t i = count; i-- > 0;)
      if (at[i] == page) return true;
    return false;
  }

  // Sends what has changed, and forgets all.
  void give_back() {
    static struct {
      int64_t kind = 'c', address;
      char differs[kPage], now[kPage];
    } changed;
    for (size_t i = 0; i < count; ++i) {
      const char *now = at[i], *then = before + i * kPage;
      if (std::memcmp(now, then, kPage) != 0) {
        // In one message, for a page of floats has changed in hundreds of places: neighbours often share a byte.
        for (uintptr_t byte = 0; byte < kPage; ++byte) changed.differs[byte] = now[byte] != then[byte];
        std::memcpy(changed.now, now, kPage);
        changed.address = int64_t(now);
        send(&changed, sizeof changed);
      }
      munmap(at[i], kPage);
    }
    count = 0;
  }

  static char* room(size_t pages) {
    constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const found = mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, kOwn, -1, 0);
    if (found == MAP_FAILED) _exit(3);
    return static_cast<char*>(found);
  }
};
Pages* pages;

void touched(int, siginfo_t* info, void*) {
  pages->fetch(reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(info->si_addr) & ~(kPage - 1)));
}

// The OpenMP runtime that the library is handed.
thread_local int thread_number = 0;
thread_local int thread_count = 1;
void parallel(void (*body)(void*), void* data, unsigned threads, unsigned) {
  const auto run = [=](int number) {
    thread_number = number;
    thread_count = int(threads);
    body(data);
  };
  std::vector<std::thread> others;
  for (unsigned number = 1; number < threads; ++number) others.emplace_back(run, int(number));
  run(0);
  for (std::thread& other : others) other.join();
  thread_number = 0;
  thread_count = 1;
}

}  // namespace

int main(int, char** arguments) {
  void* const library = dlopen(arguments[1], RTLD_NOW);
  if (!library) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  connection = std::atoi(arguments[2]);
  pages = new Pages;
  struct sigaction on_touch = {};
  on_touch.sa_sigaction = touched;
  on_touch.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &on_touch, nullptr);

  while (true) {
    std::string name(size_t(receive_number()), ' ');
    receive(name.data(), name.size());
    int64_t values[9] = {};
    receive(values, sizeof values);
    void* const found = dlsym(library, name.c_str());
    if (!found) {
      send_number('?');
      continue;
    }
    if (name == "unrolled_use_runtime" && values[0]) {
      values[0] = reinterpret_cast<int64_t>(&parallel);
      values[1] = reinterpret_cast<int64_t>(+[] { return thread_number; });
      values[2] = reinterpret_cast<int64_t>(+[] { return thread_count; });
    }
    using Function = int64_t (*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
    const auto& v = values;
    const int64_t result = reinterpret_cast<Function>(found)(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]);
    pages->give_back();
    send_number('r');
    send_number(result);
  }
}
