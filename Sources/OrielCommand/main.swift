import Glibc

exit(await RootCommand.main(arguments: Array(CommandLine.arguments.dropFirst())))
