/* Hand-written subset of the CoreAudio C API, for bindgen type-checking only. */
#pragma once
typedef unsigned char UInt8, Boolean; typedef unsigned int UInt32; typedef int SInt32; typedef short SInt16; typedef unsigned long long UInt64; typedef double Float64; typedef float Float32;
typedef SInt32 OSStatus; typedef UInt32 OSType;
typedef UInt32 AudioFormatID; typedef UInt32 AudioFormatFlags;
struct AudioStreamBasicDescription { Float64 mSampleRate; AudioFormatID mFormatID; AudioFormatFlags mFormatFlags; UInt32 mBytesPerPacket; UInt32 mFramesPerPacket; UInt32 mBytesPerFrame; UInt32 mChannelsPerFrame; UInt32 mBitsPerChannel; UInt32 mReserved; };
typedef struct AudioStreamBasicDescription AudioStreamBasicDescription;
struct AudioBuffer { UInt32 mNumberChannels; UInt32 mDataByteSize; void *mData; }; typedef struct AudioBuffer AudioBuffer;
struct AudioBufferList { UInt32 mNumberBuffers; AudioBuffer mBuffers[1]; }; typedef struct AudioBufferList AudioBufferList;
enum SMPTETimeType : UInt32 { kSMPTETimeType24 = 0 }; typedef enum SMPTETimeType SMPTETimeType;
enum SMPTETimeFlags : UInt32 { kSMPTETimeUnknown = 0 }; typedef enum SMPTETimeFlags SMPTETimeFlags;
struct SMPTETime { SInt16 mSubframes; SInt16 mSubframeDivisor; UInt32 mCounter; SMPTETimeType mType; SMPTETimeFlags mFlags; SInt16 mHours; SInt16 mMinutes; SInt16 mSeconds; SInt16 mFrames; }; typedef struct SMPTETime SMPTETime;
enum AudioTimeStampFlags : UInt32 { kAudioTimeStampNothingValid = 0, kAudioTimeStampSampleTimeValid = 1, kAudioTimeStampHostTimeValid = 2 }; typedef enum AudioTimeStampFlags AudioTimeStampFlags;
struct AudioTimeStamp { Float64 mSampleTime; UInt64 mHostTime; Float64 mRateScalar; UInt64 mWordClockTime; SMPTETime mSMPTETime; AudioTimeStampFlags mFlags; UInt32 mReserved; }; typedef struct AudioTimeStamp AudioTimeStamp;
enum : AudioFormatID { kAudioFormatLinearPCM = 'lpcm' };
enum : AudioFormatFlags { kAudioFormatFlagIsFloat = (1U << 0), kAudioFormatFlagIsBigEndian = (1U << 1), kAudioFormatFlagIsSignedInteger = (1U << 2), kAudioFormatFlagIsPacked = (1U << 3), kAudioFormatFlagIsNonInterleaved = (1U << 5) };
/* HAL */
typedef UInt32 AudioObjectID; typedef AudioObjectID AudioDeviceID; typedef UInt32 AudioObjectPropertySelector, AudioObjectPropertyScope, AudioObjectPropertyElement;
struct AudioObjectPropertyAddress { AudioObjectPropertySelector mSelector; AudioObjectPropertyScope mScope; AudioObjectPropertyElement mElement; }; typedef struct AudioObjectPropertyAddress AudioObjectPropertyAddress;
enum : AudioObjectID { kAudioObjectUnknown = 0, kAudioObjectSystemObject = 1 };
enum : AudioObjectPropertySelector { kAudioHardwarePropertyDevices = 'dev#', kAudioHardwarePropertyDefaultOutputDevice = 'dOut', kAudioHardwarePropertyDefaultInputDevice = 'dIn ', kAudioDevicePropertyDeviceName = 'name', kAudioDevicePropertyStreamConfiguration = 'slay', kAudioDevicePropertyDeviceIsAlive = 'livn', kAudioDevicePropertyNominalSampleRate = 'nsrt', kAudioDevicePropertyBufferFrameSize = 'fsiz', kAudioDevicePropertyLatency = 'ltnc', kAudioDevicePropertySafetyOffset = 'saft', kAudioDeviceProcessorOverload = 'over' };
enum : AudioObjectPropertyScope { kAudioObjectPropertyScopeGlobal = 'glob', kAudioObjectPropertyScopeInput = 'inpt', kAudioObjectPropertyScopeOutput = 'outp' };
enum : AudioObjectPropertyElement { kAudioObjectPropertyElementMain = 0 };
typedef OSStatus (*AudioObjectPropertyListenerProc)(AudioObjectID, UInt32, const AudioObjectPropertyAddress *, void *);
enum : OSStatus { kAudioHardwareUnknownPropertyError = 'who?', kAudioHardwareBadObjectError = '!obj' };
extern OSStatus AudioObjectGetPropertyDataSize(AudioObjectID inObjectID, const AudioObjectPropertyAddress *inAddress, UInt32 inQualifierDataSize, const void *inQualifierData, UInt32 *outDataSize);
extern OSStatus AudioObjectGetPropertyData(AudioObjectID inObjectID, const AudioObjectPropertyAddress *inAddress, UInt32 inQualifierDataSize, const void *inQualifierData, UInt32 *ioDataSize, void *outData);
extern OSStatus AudioObjectSetPropertyData(AudioObjectID inObjectID, const AudioObjectPropertyAddress *inAddress, UInt32 inQualifierDataSize, const void *inQualifierData, UInt32 inDataSize, const void *inData);
extern OSStatus AudioObjectAddPropertyListener(AudioObjectID, const AudioObjectPropertyAddress *, AudioObjectPropertyListenerProc, void *);
extern OSStatus AudioObjectRemovePropertyListener(AudioObjectID, const AudioObjectPropertyAddress *, AudioObjectPropertyListenerProc, void *);
