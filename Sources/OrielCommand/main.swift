import Glibc

// Swift reads the arguments from /proc. Without it there are none, not even the program's name, and every command would print the help.
guard !CommandLine.arguments.isEmpty else {
    StandardError.write("oriel: /proc is not mounted, so that its arguments cannot be read; in a chroot: mount -t proc proc /proc\n")
    exit(ExitStatus.error.rawValue)
}
MemoryArenas.limit()
exit(await RootCommand.main(arguments: Array(CommandLine.arguments.dropFirst())))
