import ArgumentParser
import AsyncHTTPClient
print("")
